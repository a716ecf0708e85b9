ALTER TABLE import_batches ADD COLUMN IF NOT EXISTS changes json;
--bun:split
-- "match" is a word of SQL.
ALTER TABLE import_files ADD COLUMN IF NOT EXISTS matched_by text NOT NULL DEFAULT '';
--bun:split
CREATE INDEX IF NOT EXISTS imports_of_parent ON imports (parent) WHERE parent <> '';
--bun:split
-- The primary key takes what the key of customer_records takes, and refuses
-- what that refuses: both are a bigint and the text.
CREATE TABLE IF NOT EXISTS import_customers (
    import_number bigint NOT NULL,
    external_id   text COLLATE "C" NOT NULL,
    record_id     uuid,
    PRIMARY KEY (import_number, external_id)
);
