-- The ledger of undos: what became of a page of records. A page is in when its
-- result is.
CREATE TABLE IF NOT EXISTS undo_pages (
    import_number bigint NOT NULL,
    page          integer NOT NULL,
    result        json,
    records       bytea,
    committed_at  timestamptz(3),
    PRIMARY KEY (import_number, page)
);
