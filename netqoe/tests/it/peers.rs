//! `netqoe bench peers`: all that it measures have the same rows.

use std::ffi::OsStr;

use netqoe_testbed::PackagedPython;
use serde_json::Value;

use crate::support::netqoe;

/// So many that a busy pair has 20 samples a minute: with fewer, the 95 % quantile is the greatest one, whatever its definition.
const EVENTS: &str = "8000";

/// The report of a short run with these engines.
fn bench(engines: &str, environment: &[(&str, &OsStr)]) -> Value {
    let mut bench = netqoe();
    bench.args(["bench", "peers", "--json", "--events", EVENTS, "--runs", "1", "-w", "2", "--engines", engines]);
    // Python is on it.
    bench.env("PATH", std::env::var_os("PATH").unwrap());
    let output = bench.envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn check(report: &Value, engines: &[&str]) {
    let sets = report["sets"].as_array().unwrap();
    assert_eq!(sets.iter().map(|set| &set["name"]).collect::<Vec<_>>(), ["small", "wide"]);
    for set in sets {
        let count = |name: &str| set[name].as_u64().unwrap();
        let (events, rows) = (count("events"), count("rows"));
        // A hundredth comes twice.
        assert!((8_001..8_300).contains(&events), "{set}");
        assert!((1_500..7_500).contains(&rows), "{set}");
        let measured = set["engines"].as_array().unwrap();
        assert_eq!(measured.iter().map(|engine| &engine["name"]).collect::<Vec<_>>(), engines);
        for (engine, figure) in measured.iter().flat_map(|engine| {
            ["events_per_s", "seconds", "cpu_seconds", "peak_memory_bytes"].map(|figure| (engine, figure))
        }) {
            assert!(engine[figure].as_f64().is_some_and(|number| number > 0.0), "{figure}: {engine}");
        }
    }
}

#[test]
fn netqoe_and_the_limit_have_the_same_rows() {
    check(&bench("netqoe", &[]), &["hand-written, one core, CSV", "netqoe `-w 2`, SQLite"]);
}

#[test]
#[ignore = "gets 206 MB from PyPI: cargo xtask soak"]
fn other_engines_have_them_too() {
    let python = PackagedPython::for_peers().unwrap();
    let python = [python.variable(), ("NETQOE_BENCH_PEERS_PYTHON", python.program().as_os_str())];
    let report = bench("chdb,duckdb,netqoe", &python);
    check(
        &report,
        &[
            "hand-written, one core, CSV",
            "chDB (ClickHouse), CSV",
            "chDB, MergeTree table",
            "DuckDB, CSV",
            "netqoe `-w 2`, SQLite",
        ],
    );
    assert!(report["versions"]["ClickHouse"].is_string() && report["versions"]["DuckDB"].is_string(), "{report}");
}
