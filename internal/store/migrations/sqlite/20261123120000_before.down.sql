DROP TABLE IF EXISTS before_notes;
--bun:split
DROP TABLE IF EXISTS before_contacts;
--bun:split
DROP TABLE IF EXISTS before_customer_records;
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
