-- What may have made processing fail: partitions that came no further, and records that were tried alone.

-- How often in a row a partition started, came nowhere, and did not end in good order; the present start included.
CREATE TABLE starts (
    log_id    text    NOT NULL,
    partition integer NOT NULL,
    processed bigint  NOT NULL, -- of its checkpoint at the last start
    starts    bigint  NOT NULL,
    PRIMARY KEY (log_id, partition)
);

-- How often processing a record began. More often than may be: it is set aside. Kept while it may be read again.
CREATE TABLE attempts (
    log_id     text    NOT NULL,
    partition  integer NOT NULL,
    position   bigint  NOT NULL,
    attempts   bigint  NOT NULL,
    generation bigint  NOT NULL, -- of the last one
    PRIMARY KEY (log_id, partition, position)
);
