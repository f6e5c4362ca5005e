//! Tests that failed, and passed when nextest tried them once more (`retries` in `.config/nextest.toml`).

use std::io::ErrorKind;

use anyhow::Context;

/// Where nextest leaves its report of a run.
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nextest/default/junit.xml");
/// Stands in the report once for each test that failed and then passed. What tests print cannot contain it: there, `<` is escaped.
const FAILED_AND_PASSED: &str = "<flakyFailure ";

/// Removes the report of the run before, which would be counted again if the next run left none.
pub(crate) fn forget() -> anyhow::Result<()> {
    match std::fs::remove_file(REPORT) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {REPORT}"))
        }
        _ => Ok(()),
    }
}

/// How many tests of the last run were flaky. Zero without nextest, since nothing else tries a test twice.
pub(crate) fn count() -> anyhow::Result<usize> {
    match std::fs::read_to_string(REPORT) {
        Ok(report) => Ok(report.matches(FAILED_AND_PASSED).count()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).with_context(|| format!("can't read {REPORT}")),
    }
}
