-- The store: rows, and the progress that they reflect. Times are integer Unix milliseconds.

-- One row for each window of each (client, target). Percentiles: milliseconds; Mbit/s for throughput; null without
-- samples. Clustered by its key, so that one key's history lies together: the latest windows of a (client, target)
-- are one seek and a walk backwards.
CREATE TABLE agg_1m (
    client_id              TEXT    NOT NULL,
    target                 TEXT    NOT NULL,
    window_start_ts        INTEGER NOT NULL,
    count_total            INTEGER NOT NULL,
    count_success          INTEGER NOT NULL,
    count_error            INTEGER NOT NULL,
    dns_error_count        INTEGER NOT NULL,
    tcp_error_count        INTEGER NOT NULL,
    tls_error_count        INTEGER NOT NULL,
    http_error_count       INTEGER NOT NULL,
    throughput_error_count INTEGER NOT NULL,
    dns_p50                REAL,
    dns_p95                REAL,
    tcp_p50                REAL,
    tcp_p95                REAL,
    tls_p50                REAL,
    tls_p95                REAL,
    ttfb_p50               REAL,
    ttfb_p95               REAL,
    throughput_p50         REAL,
    throughput_p95         REAL,
    diagnosis_label        TEXT,
    is_final               INTEGER NOT NULL, -- 1: the log has passed the window's end and lateness, it never changes
    as_of                  INTEGER NOT NULL, -- the log time that the row reflects
    updated_at             INTEGER NOT NULL, -- when it was written
    PRIMARY KEY (client_id, target, window_start_ts)
) STRICT, WITHOUT ROWID;

-- For questions over all keys: a range of time, the newest window.
CREATE INDEX agg_1m_window ON agg_1m (window_start_ts);

-- What the newest counted event of a client says of its network.
CREATE TABLE clients (
    client_id    TEXT    NOT NULL PRIMARY KEY,
    network_type TEXT,
    isp          TEXT,
    context      TEXT, -- the whole network_context as JSON
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each row of agg_1m whose label is neither null nor healthy.
CREATE TABLE diagnoses (
    client_id       TEXT    NOT NULL,
    target          TEXT    NOT NULL,
    window_start_ts INTEGER NOT NULL,
    label           TEXT    NOT NULL,
    severity        TEXT    NOT NULL,
    stage           TEXT    NOT NULL,
    observed        REAL    NOT NULL, -- ms, Mbit/s, or the failed share
    mean            REAL,
    sigma           REAL,
    sigmas          REAL,
    share_of_total  REAL,
    is_final        INTEGER NOT NULL,
    as_of           INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (client_id, target, window_start_ts)
) STRICT, WITHOUT ROWID;

CREATE INDEX diagnoses_window ON diagnoses (window_start_ts);

-- The log that the store follows, and the generation that may write. At most one row.
CREATE TABLE fence (
    only_row   INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    log_id     TEXT    NOT NULL,
    partitions INTEGER NOT NULL,
    generation INTEGER NOT NULL
) STRICT;

-- How far each partition of the log has come, and where its events went:
-- read = accepted + duplicate + late + invalid.
CREATE TABLE checkpoint (
    log_id      TEXT    NOT NULL,
    partition   INTEGER NOT NULL,
    resume_from INTEGER NOT NULL,
    processed   INTEGER NOT NULL,
    log_time    INTEGER NOT NULL,
    read        INTEGER NOT NULL,
    accepted    INTEGER NOT NULL,
    duplicate   INTEGER NOT NULL,
    late        INTEGER NOT NULL,
    invalid     INTEGER NOT NULL,
    generation  INTEGER NOT NULL, -- that wrote it
    PRIMARY KEY (log_id, partition)
) STRICT, WITHOUT ROWID;

-- Lines of the log that can't be counted, as they came. They can be long, so they have a rowid: a table that
-- is clustered by its key would keep them in the nodes of its tree.
CREATE TABLE dead_letters (
    partition INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    line      INTEGER NOT NULL,
    log_time  INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    original  BLOB    NOT NULL,
    PRIMARY KEY (partition, position, line)
) STRICT;
