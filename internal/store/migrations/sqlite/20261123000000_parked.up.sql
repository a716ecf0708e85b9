ALTER TABLE batch_failures ADD COLUMN described TEXT;
--bun:split
ALTER TABLE batch_failures ADD COLUMN verdict TEXT;
