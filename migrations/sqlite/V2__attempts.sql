-- What may have made processing fail: partitions that came no further, and records that were tried alone.

-- How often in a row a partition started, came nowhere, and did not end in good order; the present start included.
CREATE TABLE starts (
    log_id    TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    processed INTEGER NOT NULL, -- of its checkpoint at the last start
    starts    INTEGER NOT NULL,
    PRIMARY KEY (log_id, partition)
) STRICT, WITHOUT ROWID;

-- How often processing a record began. More often than may be: it is set aside. Kept while it may be read again.
CREATE TABLE attempts (
    log_id     TEXT    NOT NULL,
    partition  INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    generation INTEGER NOT NULL, -- of the last one
    PRIMARY KEY (log_id, partition, position)
) STRICT, WITHOUT ROWID;
