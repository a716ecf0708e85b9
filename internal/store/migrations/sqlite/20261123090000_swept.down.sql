DROP TABLE IF EXISTS chores;
--bun:split
DROP TABLE IF EXISTS swept_imports;
