-- What an import changed lies as it was: the same columns as the table's, under
-- the import's number. A migration that adds a column to one adds it to both.
-- Nothing was ever restored from before_images.
DROP TABLE IF EXISTS before_images;
--bun:split
CREATE TABLE IF NOT EXISTS before_customer_records (
    import_number bigint NOT NULL,
    LIKE customer_records,
    PRIMARY KEY (import_number, id)
);
--bun:split
CREATE TABLE IF NOT EXISTS before_contacts (
    import_number bigint NOT NULL,
    LIKE contacts,
    PRIMARY KEY (import_number, id)
);
--bun:split
CREATE TABLE IF NOT EXISTS before_notes (
    import_number bigint NOT NULL,
    LIKE notes,
    PRIMARY KEY (import_number, id)
);
