-- The store: rows, and the progress that they reflect.

-- One row for each window of each (client, target). Percentiles: milliseconds; Mbit/s for throughput; null without
-- samples. Names are compared as bytes: cheaper than by a language's rules, and in the same order as SQLite does.
--
-- Partitions, one for each month in UTC, are made by the store before the first row that needs them, together with
-- their storage settings, which a partitioned table can't hand down. There is no default partition: rows in it
-- would stop the month that they belong to from being made.
--
-- The primary key also serves (client_id, target, window_start_ts DESC): a B-tree is walked in both directions.
CREATE TABLE agg_1m (
    client_id              text COLLATE "C"  NOT NULL,
    target                 text COLLATE "C"  NOT NULL,
    window_start_ts        timestamptz       NOT NULL,
    count_total            bigint            NOT NULL,
    count_success          bigint            NOT NULL,
    count_error            bigint            NOT NULL,
    dns_error_count        bigint            NOT NULL,
    tcp_error_count        bigint            NOT NULL,
    tls_error_count        bigint            NOT NULL,
    http_error_count       bigint            NOT NULL,
    throughput_error_count bigint            NOT NULL,
    dns_p50                double precision,
    dns_p95                double precision,
    tcp_p50                double precision,
    tcp_p95                double precision,
    tls_p50                double precision,
    tls_p95                double precision,
    ttfb_p50               double precision,
    ttfb_p95               double precision,
    throughput_p50         double precision,
    throughput_p95         double precision,
    diagnosis_label        text,
    is_final               boolean           NOT NULL, -- the log has passed the window's end and lateness
    as_of                  timestamptz       NOT NULL, -- the log time that the row reflects
    updated_at             timestamptz       NOT NULL, -- when it was written
    PRIMARY KEY (client_id, target, window_start_ts)
) PARTITION BY RANGE (window_start_ts);

-- A client's diagnosed windows, newest first.
CREATE INDEX idx_agg_1m_client_window ON agg_1m (client_id, window_start_ts DESC) WHERE diagnosis_label IS NOT NULL;
-- A client's windows with errors.
CREATE INDEX idx_agg_1m_errors ON agg_1m (client_id, target, window_start_ts DESC) WHERE count_error > 0;
-- For a range of time over all keys, newest first. Many rows share a window, and they come in the order of their
-- windows: equal keys take a few bytes each, at the right end of the tree.
CREATE INDEX idx_agg_1m_window ON agg_1m (window_start_ts);

-- What the newest counted event of a client says of its network.
CREATE TABLE clients (
    client_id    text COLLATE "C" PRIMARY KEY,
    network_type text,
    isp          text,
    context      text, -- the whole network_context as JSON; jsonb would refuse an escaped U+0000
    first_seen   timestamptz NOT NULL,
    last_seen    timestamptz NOT NULL
) WITH (fillfactor = 90);

-- One row for each row of agg_1m whose label is neither null nor healthy.
CREATE TABLE diagnoses (
    client_id       text COLLATE "C" NOT NULL,
    target          text COLLATE "C" NOT NULL,
    window_start_ts timestamptz      NOT NULL,
    label           text             NOT NULL,
    severity        text             NOT NULL,
    stage           text             NOT NULL,
    observed        double precision NOT NULL, -- ms, Mbit/s, or the failed share
    mean            double precision,
    sigma           double precision,
    sigmas          double precision,
    share_of_total  double precision,
    is_final        boolean          NOT NULL,
    as_of           timestamptz      NOT NULL,
    updated_at      timestamptz      NOT NULL,
    PRIMARY KEY (client_id, target, window_start_ts)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX idx_diagnoses_window ON diagnoses (window_start_ts);

-- The log that the store follows, and the generation that may write. At most one row.
CREATE TABLE fence (
    only_row   integer PRIMARY KEY CHECK (only_row = 1),
    log_id     text    NOT NULL,
    partitions integer NOT NULL,
    generation bigint  NOT NULL
);

-- How far each partition of the log has come, and where its events went:
-- read = accepted + duplicate + late + invalid. Every commit updates it: room on the page keeps it small.
CREATE TABLE checkpoint (
    log_id      text        NOT NULL,
    partition   integer     NOT NULL,
    resume_from bigint      NOT NULL,
    processed   bigint      NOT NULL,
    log_time    timestamptz NOT NULL,
    read        bigint      NOT NULL,
    accepted    bigint      NOT NULL,
    duplicate   bigint      NOT NULL,
    late        bigint      NOT NULL,
    invalid     bigint      NOT NULL,
    generation  bigint      NOT NULL, -- that wrote it
    PRIMARY KEY (log_id, partition)
) WITH (fillfactor = 50);

-- Lines of the log that can't be counted, as they came.
CREATE TABLE dead_letters (
    partition integer     NOT NULL,
    position  bigint      NOT NULL,
    line      bigint      NOT NULL,
    log_time  timestamptz NOT NULL,
    reason    text        NOT NULL,
    original  bytea       NOT NULL,
    PRIMARY KEY (partition, position, line)
);
