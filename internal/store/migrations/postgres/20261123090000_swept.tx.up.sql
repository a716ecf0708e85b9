-- Since when the stage has no batches, or no lists and files, of an import.
CREATE TABLE IF NOT EXISTS swept_imports (
    import_number bigint PRIMARY KEY,
    batches_at    timestamptz,
    lists_at      timestamptz
);
--bun:split
-- What one process at a time does, and when it was last done.
CREATE TABLE IF NOT EXISTS chores (
    name     text COLLATE "C" PRIMARY KEY,
    taken_at timestamptz,
    done_at  timestamptz
);
