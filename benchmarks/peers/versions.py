"""The versions of Python and of the engines that `bench peers` runs in it, as JSON."""

import json
import platform

import chdb
import duckdb

print(json.dumps({"Python": platform.python_version(), "DuckDB": duckdb.__version__, "ClickHouse": chdb.engine_version}))
