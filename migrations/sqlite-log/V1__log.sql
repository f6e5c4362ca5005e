-- The durable log. One record is what one group commit holds for one partition.
CREATE TABLE log_records (
    -- The record's position. AUTOINCREMENT: a number is never given twice, even after the newest record is gone, so
    -- that a log which lost its tail is told from one that had it discarded.
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    partition INTEGER NOT NULL,
    -- Unix milliseconds; never falls as seq rises.
    log_time  INTEGER NOT NULL,
    -- Size of all records ever appended, this one included, in bytes: what the log holds is a difference of two.
    end_byte  INTEGER NOT NULL,
    -- Newline-delimited JSON events; empty for a tick. Last, so that the columns before it are read without it.
    lines     BLOB    NOT NULL
);

CREATE INDEX log_records_by_partition ON log_records (partition, seq);

-- One row: which log this is.
CREATE TABLE log_identity (
    id         TEXT    NOT NULL, -- UUID, version 7
    partitions INTEGER NOT NULL,
    created_ms INTEGER NOT NULL  -- Unix milliseconds
);
