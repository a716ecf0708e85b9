ALTER TABLE sources DROP COLUMN removal;
