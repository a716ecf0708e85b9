-- The ledger of undos: what became of a page of records. A page is in when its
-- result is.
CREATE TABLE IF NOT EXISTS undo_pages (
    import_number INTEGER NOT NULL,
    page          INTEGER NOT NULL,
    result        TEXT,
    records       BLOB,
    committed_at  TEXT,
    PRIMARY KEY (import_number, page)
) STRICT, WITHOUT ROWID;
