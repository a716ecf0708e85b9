CREATE TABLE IF NOT EXISTS backfills (
    id         text COLLATE "C" PRIMARY KEY,
    state      text NOT NULL,
    at_once    integer NOT NULL,
    started_by text NOT NULL DEFAULT '',
    tuning     json NOT NULL,
    started_at timestamptz(3) NOT NULL,
    ended_at   timestamptz(3)
);
--bun:split
-- What is brought in of each source, in the order in which it was asked for.
CREATE TABLE IF NOT EXISTS backfill_sources (
    backfill_id text COLLATE "C" NOT NULL REFERENCES backfills (id),
    source      text COLLATE "C" NOT NULL,
    place       integer NOT NULL,
    asked       json NOT NULL,
    planned     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (backfill_id, source)
);
--bun:split
CREATE TABLE IF NOT EXISTS backfill_partitions (
    backfill_id text COLLATE "C" NOT NULL,
    source      text COLLATE "C" NOT NULL,
    number      integer NOT NULL,
    name        text NOT NULL,
    asked       json NOT NULL,
    state       text NOT NULL,
    import_id   text NOT NULL DEFAULT '',
    tries       integer NOT NULL DEFAULT 0,
    failure     json,
    read_rows   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill_id, source, number),
    FOREIGN KEY (backfill_id, source) REFERENCES backfill_sources (backfill_id, source)
);
