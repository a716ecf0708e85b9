CREATE TABLE IF NOT EXISTS backfills (
    id         TEXT PRIMARY KEY,
    state      TEXT NOT NULL,
    at_once    INTEGER NOT NULL,
    started_by TEXT NOT NULL DEFAULT '',
    tuning     TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at   TEXT
) STRICT, WITHOUT ROWID;
--bun:split
-- What is brought in of each source, in the order in which it was asked for.
CREATE TABLE IF NOT EXISTS backfill_sources (
    backfill_id TEXT NOT NULL REFERENCES backfills (id),
    source      TEXT NOT NULL,
    place       INTEGER NOT NULL,
    asked       TEXT NOT NULL,
    planned     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill_id, source)
) STRICT, WITHOUT ROWID;
--bun:split
CREATE TABLE IF NOT EXISTS backfill_partitions (
    backfill_id TEXT NOT NULL,
    source      TEXT NOT NULL,
    number      INTEGER NOT NULL,
    name        TEXT NOT NULL,
    asked       TEXT NOT NULL,
    state       TEXT NOT NULL,
    import_id   TEXT NOT NULL DEFAULT '',
    tries       INTEGER NOT NULL DEFAULT 0,
    failure     TEXT,
    read_rows   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill_id, source, number),
    FOREIGN KEY (backfill_id, source) REFERENCES backfill_sources (backfill_id, source)
) STRICT, WITHOUT ROWID;
