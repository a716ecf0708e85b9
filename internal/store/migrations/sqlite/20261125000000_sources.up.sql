-- What a source has to be told, and what is sealed of that.
ALTER TABLE sources ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
--bun:split
ALTER TABLE sources ADD COLUMN secrets BLOB;
--bun:split
-- What sources say of their customers' subscriptions. They are no records: the
-- status of a customer and the start of its trial follow from them.
CREATE TABLE IF NOT EXISTS subscriptions (
    source_id         INTEGER NOT NULL,
    external_id       TEXT NOT NULL,
    customer          TEXT NOT NULL,
    state             TEXT NOT NULL,
    deleted           INTEGER NOT NULL DEFAULT 0,
    trial_started_at  TEXT,
    source_updated_at TEXT,
    changed_import    INTEGER NOT NULL,
    PRIMARY KEY (source_id, external_id)
) STRICT, WITHOUT ROWID;
--bun:split
CREATE INDEX IF NOT EXISTS subscriptions_of_customer ON subscriptions (source_id, customer);
--bun:split
CREATE INDEX IF NOT EXISTS subscriptions_changed ON subscriptions (changed_import, customer);
