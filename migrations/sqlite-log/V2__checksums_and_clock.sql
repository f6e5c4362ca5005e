-- Of partition, position, time, size and lines, see `records.rs`. Null in records that were written before.
ALTER TABLE log_records ADD COLUMN checksum INTEGER;

-- One row: the first record that was written with a checksum. Where one is missing from there on, it was lost.
CREATE TABLE log_checksums (
    first_seq INTEGER NOT NULL
);
INSERT INTO log_checksums SELECT coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'log_records'), 0) + 1;

-- At most one row: what the clock said when it was last believed, and how long the machine had run by then.
CREATE TABLE log_clock (
    only_row  INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    boot_id   TEXT    NOT NULL, -- the run of the machine that uptime_ms counts from
    uptime_ms INTEGER NOT NULL,
    clock_ms  INTEGER NOT NULL  -- Unix milliseconds
);
