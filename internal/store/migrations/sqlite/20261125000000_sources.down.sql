DROP TABLE IF EXISTS subscriptions;
--bun:split
ALTER TABLE sources DROP COLUMN secrets;
--bun:split
ALTER TABLE sources DROP COLUMN settings;
