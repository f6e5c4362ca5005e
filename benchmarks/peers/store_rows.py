"""The rows of a SQLite store of netqoe, written as CSV: `store_rows.py STORE ROWS`.

They are what all others that stand beside netqoe in `bench peers` must agree with: times in whole microseconds, throughput in kbit/s. Rows come in
any order, without a header. The diagnoses, which netqoe alone computes, are left out.
"""

import csv
import sqlite3
import sys

STAGES = ["dns", "tcp", "tls", "http", "throughput"]
METRICS = ["dns", "tcp", "tls", "ttfb", "throughput"]

COLUMNS = ["client_id", "target", "window_start_ts", "count_success", *(f"{stage}_error_count" for stage in STAGES)]
COLUMNS += [f"CAST(round({metric}_{percentile} * 1000) AS INTEGER)" for metric in METRICS for percentile in ("p50", "p95")]


def write_rows(store: str, rows: str) -> None:
    with open(rows, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(sqlite3.connect(store).execute(f"SELECT {', '.join(COLUMNS)} FROM agg_1m"))


if __name__ == "__main__":
    write_rows(*sys.argv[1:])
