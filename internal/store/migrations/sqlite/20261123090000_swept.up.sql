-- Since when the stage has no batches, or no lists and files, of an import.
CREATE TABLE IF NOT EXISTS swept_imports (
    import_number INTEGER NOT NULL PRIMARY KEY,
    batches_at    TEXT,
    lists_at      TEXT
) STRICT;
--bun:split
-- What one process at a time does, and when it was last done.
CREATE TABLE IF NOT EXISTS chores (
    name     TEXT NOT NULL PRIMARY KEY,
    taken_at TEXT,
    done_at  TEXT
) STRICT;
