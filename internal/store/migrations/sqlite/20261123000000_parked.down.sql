ALTER TABLE batch_failures DROP COLUMN verdict;
--bun:split
ALTER TABLE batch_failures DROP COLUMN described;
