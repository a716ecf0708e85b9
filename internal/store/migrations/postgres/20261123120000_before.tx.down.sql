DROP TABLE IF EXISTS before_notes;
--bun:split
DROP TABLE IF EXISTS before_contacts;
--bun:split
DROP TABLE IF EXISTS before_customer_records;
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
