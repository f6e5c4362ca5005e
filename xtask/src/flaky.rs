//! Tests that failed, and passed when they were tried once more (`retries` in `.config/nextest.toml` and in the configuration of the page's tests).

use std::io::ErrorKind;

use anyhow::Context;

/// Where nextest leaves its report of a run, for each profile.
const REPORTS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nextest/default/junit.xml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nextest/newer-nats/junit.xml"),
];
/// Stands in a report once for each test that failed and then passed. What tests print cannot contain it: there, `<` is escaped.
const FAILED_AND_PASSED: &str = "<flakyFailure ";
/// Where the page's tests leave their report.
const REPORT_OF_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/e2e/report.json");
/// Begins the line in which nextest names such a test.
const NAMED_BY: &str = "FLAKY ";
/// Ends the line above those that the page's tests name: `1 flaky`.
const COUNTED_BY: &str = " flaky";

/// Removes the reports of earlier runs, which would be counted again if a run left none.
pub(crate) fn forget() -> anyhow::Result<()> {
    for report in REPORTS.into_iter().chain([REPORT_OF_PAGE]) {
        match std::fs::remove_file(report) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("can't remove {report}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many tests were flaky since. Without nextest those of the page alone, since cargo tries nothing twice.
pub(crate) fn count() -> anyhow::Result<usize> {
    let mut flaky = 0;
    for report in REPORTS {
        flaky += read(report)?.map_or(0, |text| text.matches(FAILED_AND_PASSED).count());
    }
    if let Some(text) = read(REPORT_OF_PAGE)? {
        flaky += of_page(&text).with_context(|| format!("{REPORT_OF_PAGE} is no report of Playwright"))?;
    }
    Ok(flaky)
}

fn read(report: &str) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(report) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't read {report}")),
    }
}

fn of_page(report: &str) -> anyhow::Result<usize> {
    let report: serde_json::Value = serde_json::from_str(report)?;
    let flaky = report["stats"]["flaky"].as_u64().context("it does not say how many tests were flaky")?;
    Ok(usize::try_from(flaky)?)
}

/// Whether this output, of nextest or of the page's tests, names a flaky test.
pub(crate) fn is_named_in(output: &str) -> bool {
    let counts = |line: &str| line.trim().strip_suffix(COUNTED_BY).is_some_and(|many| many.parse::<u32>().is_ok());
    output.contains(NAMED_BY) || output.lines().any(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaky_tests_are_found_in_what_nextest_and_the_page_say() {
        assert!(is_named_in("   FLAKY 2/2 [   1.1s] netqoe::it chaos::one"));
        assert!(is_named_in("  1 flaky\n    [sqlite] › e2e/live.spec.ts:9:1 › a row\n  83 passed (7.0m)\n"));
        assert!(!is_named_in("  ✓  1 [sqlite] › e2e/live.spec.ts:9:1 › what is flaky (1.2s)\n  84 passed (7.0m)\n"));
    }

    #[test]
    fn the_report_of_the_page_says_how_many() {
        assert_eq!(of_page(r#"{"suites":[],"stats":{"expected":83,"unexpected":0,"flaky":2}}"#).unwrap(), 2);
        assert!(of_page(r#"{"suites":[]}"#).is_err());
    }
}
