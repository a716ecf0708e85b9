-- What to write again, or to skip, when somebody has decided.
ALTER TABLE batch_failures ADD COLUMN IF NOT EXISTS described json;
--bun:split
ALTER TABLE batch_failures ADD COLUMN IF NOT EXISTS verdict json;
