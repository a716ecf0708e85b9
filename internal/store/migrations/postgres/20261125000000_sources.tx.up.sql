-- What a source has to be told, and what is sealed of that.
ALTER TABLE sources ADD COLUMN IF NOT EXISTS settings json NOT NULL DEFAULT '{}';
--bun:split
ALTER TABLE sources ADD COLUMN IF NOT EXISTS secrets bytea;
--bun:split
-- What sources say of their customers' subscriptions. They are no records: the
-- status of a customer and the start of its trial follow from them.
CREATE TABLE IF NOT EXISTS subscriptions (
    source_id         bigint NOT NULL,
    external_id       text COLLATE "C" NOT NULL,
    customer          text COLLATE "C" NOT NULL,
    state             text NOT NULL,
    deleted           boolean NOT NULL DEFAULT false,
    trial_started_at  timestamptz(3),
    source_updated_at timestamptz(3),
    changed_import    bigint NOT NULL,
    PRIMARY KEY (source_id, external_id)
);
--bun:split
CREATE INDEX IF NOT EXISTS subscriptions_of_customer ON subscriptions (source_id, customer);
--bun:split
CREATE INDEX IF NOT EXISTS subscriptions_changed ON subscriptions (changed_import, customer);
