"""The rows of a log by chDB, which is ClickHouse in this process: `chdb_rows.py csv EVENTS ROWS` writes CSV, `chdb_rows.py table EVENTS FOLDER` a
MergeTree table on disk, and `chdb_rows.py export FOLDER ROWS` writes such a table as CSV.

It must agree with all others that stand beside it in `bench peers`, to the last digit: an event is late where the log received it more than
two minutes after its minute's end; copies of an event have all but that time in common, and count once; failed events give no samples; a
percentile is the sample at rank ceil(q * n); times are whole microseconds, throughput is in kbit/s. Rows come in any order, without a header.
"""

import sys

import chdb
from chdb.session import Session

STAGES = ["dns", "tcp", "tls", "http", "throughput"]
MEASUREMENTS = {"dns": "dns_ms", "tcp": "tcp_ms", "tls": "tls_ms", "ttfb": "ttfb_ms", "throughput": "throughput_mbps"}

TYPES = f"""event_id String, client_id String, target String, ts_ms Int64, recv_ts_ms Int64, error_stage Nullable(String),
    timing_measurements Tuple({", ".join(f"{member} Nullable(Float64)" for member in MEASUREMENTS.values())})"""

COLUMNS = ["client_id String", "target String", "minute Int64", "successes UInt64"]
COLUMNS += [f"{stage}_errors UInt64" for stage in STAGES]
COLUMNS += [f"{metric}_{percentile} Nullable(Int64)" for metric in MEASUREMENTS for percentile in ("p50", "p95")]

AS_CSV = "FORMAT CSV SETTINGS format_csv_null_representation = ''"


def rows_of(events: str) -> str:
    samples = ", ".join(f"toInt64(round(timing_measurements.{member} * 1000)) AS {metric}" for metric, member in MEASUREMENTS.items())
    one_copy = ", ".join(f"any({column}) AS {column}" for column in ["error_stage", *MEASUREMENTS])
    errors = ", ".join(f"countIf(error_stage = '{stage}') AS {stage}_errors" for stage in STAGES)
    # ClickHouse's exact quantiles take another rank. To sort all samples of so small groups costs no more than its functions do.
    groups = ", ".join(f"arraySort(groupArrayIf({metric}, error_stage IS NULL)) AS {metric}s" for metric in MEASUREMENTS)
    percentiles = ", ".join(percentile(f"{metric}s", percent) for metric in MEASUREMENTS for percent in (50, 95))
    return f"""
        SELECT client_id, target, minute, successes, {", ".join(f"{stage}_errors" for stage in STAGES)}, {percentiles}
        FROM (
            SELECT client_id, target, minute, countIf(error_stage IS NULL) AS successes, {errors}, {groups}
            FROM (
                SELECT client_id, target, minute, event_id, {one_copy}
                FROM (
                    SELECT client_id, target, intDiv(ts_ms, 60000) * 60000 AS minute, event_id, error_stage, {samples}
                    FROM file({quoted(events)}, 'JSONEachRow', {quoted(TYPES)})
                    WHERE recv_ts_ms <= minute + 180000
                )
                GROUP BY client_id, target, minute, event_id
            )
            GROUP BY client_id, target, minute
        )"""


def percentile(sorted_samples: str, percent: int) -> str:
    return f"if(empty({sorted_samples}), NULL, {sorted_samples}[intDiv({percent} * length({sorted_samples}) + 99, 100)])"


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_csv(events: str, rows: str) -> None:
    chdb.query(f"{rows_of(events)} INTO OUTFILE {quoted(rows)} {AS_CSV}")


def write_table(events: str, folder: str) -> None:
    session = Session(folder)
    session.query(f"CREATE TABLE rows ({', '.join(COLUMNS)}) ENGINE = MergeTree ORDER BY (client_id, target, minute)")
    session.query(f"INSERT INTO rows {rows_of(events)}")
    session.close()


def export_table(folder: str, rows: str) -> None:
    session = Session(folder)
    session.query(f"SELECT * FROM rows INTO OUTFILE {quoted(rows)} {AS_CSV}")
    session.close()


if __name__ == "__main__":
    {"csv": write_csv, "table": write_table, "export": export_table}[sys.argv[1]](*sys.argv[2:])
