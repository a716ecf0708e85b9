DROP TABLE IF EXISTS outbox;
--bun:split
DROP TABLE IF EXISTS before_images;
--bun:split
DROP TABLE IF EXISTS notes;
--bun:split
DROP TABLE IF EXISTS contacts;
--bun:split
DROP TABLE IF EXISTS customer_records;
--bun:split
DROP TABLE IF EXISTS batch_failures;
--bun:split
DROP TABLE IF EXISTS import_batches;
--bun:split
DROP TABLE IF EXISTS import_files;
--bun:split
DROP TABLE IF EXISTS imports;
--bun:split
DROP TABLE IF EXISTS sources;
