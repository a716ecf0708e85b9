-- The whole migration runs in one transaction, with the note that it is done.
-- STRICT makes SQLite refuse what is not of a column's type, as PostgreSQL does.

CREATE TABLE IF NOT EXISTS sources (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    slug       TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    region     TEXT NOT NULL,
    mapping    TEXT NOT NULL DEFAULT '',
    watermark  TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL
) STRICT;
--bun:split
CREATE TABLE IF NOT EXISTS imports (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    source_id   INTEGER NOT NULL REFERENCES sources (id),
    kind        TEXT NOT NULL DEFAULT 'import',
    state       TEXT NOT NULL,
    state_by    TEXT NOT NULL DEFAULT '',
    request     TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    dry         INTEGER NOT NULL DEFAULT 0,
    parent      TEXT NOT NULL DEFAULT '',
    earlier     TEXT NOT NULL DEFAULT '',
    secret      BLOB NOT NULL,
    started_at  TEXT NOT NULL UNIQUE,
    ended_at    TEXT,
    report      TEXT,
    undone_by   INTEGER REFERENCES imports (number)
) STRICT;
--bun:split
CREATE INDEX IF NOT EXISTS imports_of_source ON imports (source_id, number);
--bun:split
CREATE TABLE IF NOT EXISTS import_files (
    import_number INTEGER NOT NULL REFERENCES imports (number),
    file          INTEGER NOT NULL,
    mode          TEXT NOT NULL,
    rules         TEXT NOT NULL,
    inspected     TEXT NOT NULL,
    PRIMARY KEY (import_number, file)
) STRICT;
--bun:split
CREATE TABLE IF NOT EXISTS import_batches (
    import_number INTEGER NOT NULL,
    batch         INTEGER NOT NULL,
    described     TEXT NOT NULL,
    settles       INTEGER NOT NULL DEFAULT 0,
    skipped_by    TEXT NOT NULL DEFAULT '',
    verdict       TEXT NOT NULL,
    counts        TEXT,
    outcomes      BLOB,
    committed_at  TEXT,
    PRIMARY KEY (import_number, batch)
) STRICT;
--bun:split
CREATE TABLE IF NOT EXISTS batch_failures (
    import_number INTEGER NOT NULL,
    batch         INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    failure       TEXT NOT NULL DEFAULT '',
    parked_at     TEXT,
    PRIMARY KEY (import_number, batch)
) STRICT;
--bun:split
-- No foreign key to sources: checking it would lock one row of sources from
-- every writer, once a record.
CREATE TABLE IF NOT EXISTS customer_records (
    id                    TEXT NOT NULL PRIMARY KEY,
    source_id             INTEGER NOT NULL,
    customer_uuid         TEXT NOT NULL,
    external_id           TEXT NOT NULL,
    name                  TEXT,
    email                 TEXT,
    company               TEXT,
    country               TEXT,
    state                 TEXT,
    city                  TEXT,
    zip                   TEXT,
    lead_created_at       TEXT,
    free_trial_started_at TEXT,
    status                TEXT NOT NULL DEFAULT 'New Lead',
    owner                 TEXT,
    website_url           TEXT,
    tags                  TEXT,
    custom                TEXT,
    source_updated_at     TEXT,
    created_import        INTEGER NOT NULL,
    created_address       INTEGER NOT NULL,
    changed_import        INTEGER NOT NULL,
    changed_address       INTEGER NOT NULL,
    rev                   INTEGER NOT NULL,
    changed_by            TEXT NOT NULL DEFAULT '',
    stored_at             TEXT NOT NULL,
    updated_at            TEXT NOT NULL,
    CONSTRAINT customer_records_status_check CHECK (
        status = 'New Lead' OR status = 'Working Lead' OR status = 'Qualified Lead' OR status = 'Unqualified Lead' OR
        status = 'Active' OR status = 'Past Due' OR status = 'Cancelled') -- for IN, SQLite builds an index, once a row
) STRICT;
--bun:split
CREATE UNIQUE INDEX IF NOT EXISTS customer_records_key ON customer_records (source_id, external_id);
--bun:split
CREATE TABLE IF NOT EXISTS contacts (
    id                TEXT NOT NULL PRIMARY KEY,
    customer_id       TEXT NOT NULL REFERENCES customer_records (id),
    match_key         TEXT NOT NULL,
    external_id       TEXT,
    position          INTEGER,
    first_name        TEXT,
    last_name         TEXT,
    title             TEXT,
    email             TEXT,
    phone             TEXT,
    linked_in         TEXT,
    twitter           TEXT,
    notes             TEXT,
    custom            TEXT,
    source_updated_at TEXT,
    created_import    INTEGER NOT NULL,
    created_address   INTEGER NOT NULL,
    changed_import    INTEGER NOT NULL,
    changed_address   INTEGER NOT NULL,
    rev               INTEGER NOT NULL,
    changed_by        TEXT NOT NULL DEFAULT '',
    stored_at         TEXT NOT NULL,
    updated_at        TEXT NOT NULL
) STRICT;
--bun:split
CREATE UNIQUE INDEX IF NOT EXISTS contacts_key ON contacts (customer_id, match_key);
--bun:split
CREATE TABLE IF NOT EXISTS notes (
    id                TEXT NOT NULL PRIMARY KEY,
    customer_id       TEXT NOT NULL REFERENCES customer_records (id),
    match_key         TEXT NOT NULL,
    type              TEXT,
    text              TEXT,
    author_email      TEXT,
    call_duration     INTEGER,
    created_at        TEXT,
    source_updated_at TEXT,
    created_import    INTEGER NOT NULL,
    created_address   INTEGER NOT NULL,
    changed_import    INTEGER NOT NULL,
    changed_address   INTEGER NOT NULL,
    rev               INTEGER NOT NULL,
    changed_by        TEXT NOT NULL DEFAULT '',
    stored_at         TEXT NOT NULL,
    updated_at        TEXT NOT NULL
) STRICT;
--bun:split
CREATE UNIQUE INDEX IF NOT EXISTS notes_key ON notes (customer_id, match_key);
--bun:split
CREATE TABLE IF NOT EXISTS before_images (
    import_number INTEGER NOT NULL,
    entity        INTEGER NOT NULL,
    record_id     TEXT NOT NULL,
    rev_before    INTEGER NOT NULL,
    rev_after     INTEGER NOT NULL,
    image         TEXT NOT NULL,
    PRIMARY KEY (import_number, entity, record_id)
) STRICT;
--bun:split
CREATE TABLE IF NOT EXISTS outbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    import_number INTEGER NOT NULL REFERENCES imports (number),
    channel       TEXT NOT NULL,
    receiver      TEXT NOT NULL,
    event         TEXT NOT NULL,
    subject       TEXT NOT NULL,
    body          TEXT NOT NULL,
    stable        TEXT NOT NULL,
    sent_at       TEXT
) STRICT;
--bun:split
CREATE INDEX IF NOT EXISTS outbox_of_import ON outbox (import_number);
