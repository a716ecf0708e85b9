-- How far the removal of a source has come; NULL while nobody removes it.
ALTER TABLE sources ADD COLUMN IF NOT EXISTS removal json;
