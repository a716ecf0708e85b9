DROP TABLE IF EXISTS subscriptions;
--bun:split
ALTER TABLE sources DROP COLUMN IF EXISTS secrets;
--bun:split
ALTER TABLE sources DROP COLUMN IF EXISTS settings;
