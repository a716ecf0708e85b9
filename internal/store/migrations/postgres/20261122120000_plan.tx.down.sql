DROP TABLE IF EXISTS import_customers;
--bun:split
DROP INDEX IF EXISTS customer_records_email;
--bun:split
DROP INDEX IF EXISTS customer_records_host;
--bun:split
DROP INDEX IF EXISTS imports_of_parent;
--bun:split
ALTER TABLE import_files DROP COLUMN IF EXISTS matched_by;
--bun:split
ALTER TABLE import_batches DROP COLUMN IF EXISTS changes;
