-- When a source is brought up to date by itself, and what became of that.
CREATE TABLE IF NOT EXISTS schedules (
    source   text COLLATE "C" PRIMARY KEY,
    asked    json NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    failure  json,
    last_at  timestamptz(3),
    good_at  timestamptz(3),
    full_at  timestamptz(3),
    made_at  timestamptz(3) NOT NULL
);
