ALTER TABLE batch_failures DROP COLUMN IF EXISTS verdict;
--bun:split
ALTER TABLE batch_failures DROP COLUMN IF EXISTS described;
