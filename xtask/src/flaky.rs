//! Tests that failed, and passed when nextest tried them once more (`retries` in `.config/nextest.toml`).

use std::io::ErrorKind;

use anyhow::Context;

/// Where nextest leaves its report of a run, for each profile.
const REPORTS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nextest/default/junit.xml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nextest/newer-nats/junit.xml"),
];
/// Stands in a report once for each test that failed and then passed. What tests print cannot contain it: there, `<` is escaped.
const FAILED_AND_PASSED: &str = "<flakyFailure ";
/// Begins the line in which nextest names such a test.
const NAMED_BY: &str = "FLAKY ";

/// Removes the reports of earlier runs, which would be counted again if a run left none.
pub(crate) fn forget() -> anyhow::Result<()> {
    for report in REPORTS {
        match std::fs::remove_file(report) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("can't remove {report}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many tests were flaky since. Zero without nextest, since nothing else tries a test twice.
pub(crate) fn count() -> anyhow::Result<usize> {
    let mut flaky = 0;
    for report in REPORTS {
        match std::fs::read_to_string(report) {
            Ok(text) => flaky += text.matches(FAILED_AND_PASSED).count(),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("can't read {report}")),
        }
    }
    Ok(flaky)
}

/// Whether this output of nextest names a flaky test.
pub(crate) fn is_named_in(output: &str) -> bool {
    output.contains(NAMED_BY)
}
