-- When a source is brought up to date by itself, and what became of that.
CREATE TABLE IF NOT EXISTS schedules (
    source   TEXT PRIMARY KEY,
    asked    TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    failure  TEXT,
    last_at  TEXT,
    good_at  TEXT,
    full_at  TEXT,
    made_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
