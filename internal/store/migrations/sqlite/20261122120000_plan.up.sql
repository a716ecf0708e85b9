ALTER TABLE import_batches ADD COLUMN changes TEXT;
--bun:split
-- "match" is a word of SQL.
ALTER TABLE import_files ADD COLUMN matched_by TEXT NOT NULL DEFAULT '';
--bun:split
CREATE INDEX IF NOT EXISTS imports_of_parent ON imports (parent) WHERE parent <> '';
--bun:split
CREATE TABLE IF NOT EXISTS import_customers (
    import_number INTEGER NOT NULL,
    external_id   TEXT NOT NULL,
    record_id     TEXT,
    PRIMARY KEY (import_number, external_id)
) STRICT, WITHOUT ROWID;
