-- Every statement may be run again: a crash between the end of this
-- transaction and the note that it is done repeats the file.

CREATE TABLE IF NOT EXISTS sources (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug       text COLLATE "C" NOT NULL UNIQUE,
    title      text NOT NULL,
    kind       text NOT NULL,
    time_zone  text NOT NULL,
    region     text NOT NULL,
    mapping    text NOT NULL DEFAULT '',
    watermark  text NOT NULL DEFAULT '',
    created_at timestamptz(3) NOT NULL
);
--bun:split
CREATE TABLE IF NOT EXISTS imports (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text COLLATE "C" NOT NULL UNIQUE,
    source_id   bigint NOT NULL REFERENCES sources (id),
    kind        text NOT NULL DEFAULT 'import',
    state       text NOT NULL,
    state_by    text NOT NULL DEFAULT '',
    request     json NOT NULL,
    fingerprint text NOT NULL,
    dry         boolean NOT NULL DEFAULT false,
    parent      text NOT NULL DEFAULT '',
    earlier     text NOT NULL DEFAULT '',
    secret      bytea NOT NULL,
    started_at  timestamptz(3) NOT NULL UNIQUE,
    ended_at    timestamptz(3),
    report      json,
    undone_by   bigint REFERENCES imports (number)
);
--bun:split
CREATE INDEX IF NOT EXISTS imports_of_source ON imports (source_id, number);
--bun:split
CREATE TABLE IF NOT EXISTS import_files (
    import_number bigint NOT NULL REFERENCES imports (number),
    file          integer NOT NULL,
    mode          text NOT NULL,
    rules         json NOT NULL,
    inspected     json NOT NULL,
    PRIMARY KEY (import_number, file)
);
--bun:split
CREATE TABLE IF NOT EXISTS import_batches (
    import_number bigint NOT NULL,
    batch         integer NOT NULL,
    described     json NOT NULL,
    settles       boolean NOT NULL DEFAULT false,
    skipped_by    text NOT NULL DEFAULT '',
    verdict       json NOT NULL,
    counts        json,
    outcomes      bytea,
    committed_at  timestamptz(3),
    PRIMARY KEY (import_number, batch)
);
--bun:split
CREATE TABLE IF NOT EXISTS batch_failures (
    import_number bigint NOT NULL,
    batch         integer NOT NULL,
    failures      integer NOT NULL,
    failure       text NOT NULL DEFAULT '',
    parked_at     timestamptz(3),
    PRIMARY KEY (import_number, batch)
);
--bun:split
-- No foreign key to sources: checking it would lock one row of sources from
-- every writer, once a record.
CREATE TABLE IF NOT EXISTS customer_records (
    id                    uuid PRIMARY KEY,
    source_id             bigint NOT NULL,
    customer_uuid         uuid NOT NULL,
    external_id           text COLLATE "C" NOT NULL,
    name                  text,
    email                 text,
    company               text,
    country               text,
    state                 text,
    city                  text,
    zip                   text,
    lead_created_at       timestamptz(3),
    free_trial_started_at timestamptz(3),
    status                text NOT NULL DEFAULT 'New Lead',
    owner                 text,
    website_url           text,
    tags                  jsonb,
    custom                jsonb,
    source_updated_at     timestamptz(3),
    created_import        bigint NOT NULL,
    created_address       bigint NOT NULL,
    changed_import        bigint NOT NULL,
    changed_address       bigint NOT NULL,
    rev                   integer NOT NULL,
    changed_by            text NOT NULL DEFAULT '',
    stored_at             timestamptz(3) NOT NULL,
    updated_at            timestamptz(3) NOT NULL,
    CONSTRAINT customer_records_key UNIQUE (source_id, external_id),
    CONSTRAINT customer_records_status_check CHECK (status IN (
        'New Lead', 'Working Lead', 'Qualified Lead', 'Unqualified Lead', 'Active', 'Past Due', 'Cancelled'))
);
--bun:split
CREATE TABLE IF NOT EXISTS contacts (
    id                uuid PRIMARY KEY,
    customer_id       uuid NOT NULL REFERENCES customer_records (id),
    match_key         uuid NOT NULL,
    external_id       text,
    position          bigint,
    first_name        text,
    last_name         text,
    title             text,
    email             text,
    phone             text,
    linked_in         text,
    twitter           text,
    notes             text,
    custom            jsonb,
    source_updated_at timestamptz(3),
    created_import    bigint NOT NULL,
    created_address   bigint NOT NULL,
    changed_import    bigint NOT NULL,
    changed_address   bigint NOT NULL,
    rev               integer NOT NULL,
    changed_by        text NOT NULL DEFAULT '',
    stored_at         timestamptz(3) NOT NULL,
    updated_at        timestamptz(3) NOT NULL,
    CONSTRAINT contacts_key UNIQUE (customer_id, match_key)
);
--bun:split
CREATE TABLE IF NOT EXISTS notes (
    id                uuid PRIMARY KEY,
    customer_id       uuid NOT NULL REFERENCES customer_records (id),
    match_key         uuid NOT NULL,
    type              text,
    text              text,
    author_email      text,
    call_duration     bigint,
    created_at        timestamptz(3),
    source_updated_at timestamptz(3),
    created_import    bigint NOT NULL,
    created_address   bigint NOT NULL,
    changed_import    bigint NOT NULL,
    changed_address   bigint NOT NULL,
    rev               integer NOT NULL,
    changed_by        text NOT NULL DEFAULT '',
    stored_at         timestamptz(3) NOT NULL,
    updated_at        timestamptz(3) NOT NULL,
    CONSTRAINT notes_key UNIQUE (customer_id, match_key)
);
--bun:split
CREATE TABLE IF NOT EXISTS before_images (
    import_number bigint NOT NULL,
    entity        smallint NOT NULL,
    record_id     uuid NOT NULL,
    rev_before    integer NOT NULL,
    rev_after     integer NOT NULL,
    image         json NOT NULL,
    PRIMARY KEY (import_number, entity, record_id)
);
--bun:split
CREATE TABLE IF NOT EXISTS outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_number bigint NOT NULL REFERENCES imports (number),
    channel       text NOT NULL,
    receiver      text NOT NULL,
    event         text NOT NULL,
    subject       text NOT NULL,
    body          text NOT NULL,
    stable        text NOT NULL,
    sent_at       timestamptz(3)
);
--bun:split
CREATE INDEX IF NOT EXISTS outbox_of_import ON outbox (import_number);
