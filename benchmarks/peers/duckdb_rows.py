"""The rows of a log by DuckDB, written as CSV: `duckdb_rows.py EVENTS ROWS`.

It must agree with all others that stand beside it in `bench peers`, to the last digit: an event is late where the log received it more than
two minutes after its minute's end; copies of an event have all but that time in common, and count once; failed events give no samples; a
percentile is the sample at rank ceil(q * n); times are whole microseconds, throughput is in kbit/s. Rows come in any order, without a header.
"""

import sys

import duckdb

STAGES = ["dns", "tcp", "tls", "http", "throughput"]
MEASUREMENTS = {"dns": "dns_ms", "tcp": "tcp_ms", "tls": "tls_ms", "ttfb": "ttfb_ms", "throughput": "throughput_mbps"}

TYPES = f"""{{
    event_id: 'VARCHAR', client_id: 'VARCHAR', target: 'VARCHAR', ts_ms: 'BIGINT', recv_ts_ms: 'BIGINT', error_stage: 'VARCHAR',
    timing_measurements: 'STRUCT({", ".join(f"{member} DOUBLE" for member in MEASUREMENTS.values())})'
}}"""


def statement(events: str, rows: str) -> str:
    samples = ", ".join(
        f"CAST(round(timing_measurements.{member} * 1000) AS BIGINT) AS {metric}" for metric, member in MEASUREMENTS.items()
    )
    one_copy = ", ".join(f"any_value({column}) AS {column}" for column in ["error_stage", *MEASUREMENTS])
    errors = ", ".join(f"count(*) FILTER (error_stage = '{stage}') AS {stage}_errors" for stage in STAGES)
    # DuckDB's discrete quantile is the one by nearest rank.
    quantiles = ", ".join(f"quantile_disc({metric}, [0.5, 0.95]) FILTER (error_stage IS NULL) AS {metric}" for metric in MEASUREMENTS)
    return f"""
        COPY (
            SELECT client_id, target, minute, successes, {", ".join(f"{stage}_errors" for stage in STAGES)},
                {", ".join(f"{metric}[1], {metric}[2]" for metric in MEASUREMENTS)}
            FROM (
                SELECT client_id, target, minute, count(*) FILTER (error_stage IS NULL) AS successes, {errors}, {quantiles}
                FROM (
                    SELECT client_id, target, minute, event_id, {one_copy}
                    FROM (
                        SELECT client_id, target, ts_ms // 60000 * 60000 AS minute, event_id, error_stage, {samples}
                        FROM read_json({quoted(events)}, format = 'newline_delimited', columns = {TYPES})
                        WHERE recv_ts_ms <= ts_ms // 60000 * 60000 + 180000
                    )
                    GROUP BY client_id, target, minute, event_id
                )
                GROUP BY client_id, target, minute
            )
        ) TO {quoted(rows)} (FORMAT csv, HEADER false)"""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    # Rows in any order are cheaper.
    duckdb.connect(config={"preserve_insertion_order": "false"}).execute(statement(*sys.argv[1:]))
