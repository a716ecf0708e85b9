DROP TABLE IF EXISTS backfill_partitions;
--bun:split
DROP TABLE IF EXISTS backfill_sources;
--bun:split
DROP TABLE IF EXISTS backfills;
