//! What `cargo xtask test` does, in order.

use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::bail;
use netqoe_testbed::{Postgres, SHARED_SERVER};

use crate::child::{cargo, stopped_by_signals, succeeds};

/// One command of cargo.
struct Step {
    heading: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const FORMAT: Step = Step { heading: "format", arguments: &["fmt", "--all", "--check"], environment: &[] };
const LINT: Step = Step {
    heading: "lint",
    arguments: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    environment: &[],
};
/// What stands behind features is compiled by nothing else here.
const LINT_FEATURES: Step = Step {
    heading: "lint of features",
    arguments: &[
        "clippy",
        "-p",
        "netqoe",
        "-p",
        "netqoe-probe",
        "--features",
        "netqoe/planted-faults,netqoe/http3",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ],
    environment: &[],
};
const DOCUMENT: Step = Step {
    heading: "documentation",
    arguments: &["doc", "--no-deps", "--workspace", "--locked"],
    environment: &[("RUSTDOCFLAGS", "-D warnings")],
};
const NEXTEST: [Step; 2] = [
    Step { heading: "tests", arguments: &["nextest", "run", "--workspace", "--locked"], environment: &[] },
    Step {
        heading: "tests of HTTP/3",
        arguments: &["nextest", "run", "-p", "netqoe-probe", "--features", "http3", "--locked", "--", "http3", "quic"],
        environment: &[],
    },
];
const TEST: [Step; 2] = [
    Step { heading: "tests", arguments: &["test", "--workspace", "--locked"], environment: &[] },
    Step {
        heading: "tests of HTTP/3",
        arguments: &["test", "-p", "netqoe-probe", "--features", "http3", "--locked", "--", "http3", "quic"],
        environment: &[],
    },
];

/// All checks and tests. Whatever was started is stopped, however this ends.
pub(crate) fn test() -> anyhow::Result<()> {
    let started = Instant::now();
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let postgres = Postgres::start()?;
    let mut failed = Vec::new();
    let tests = if has_nextest() { NEXTEST } else { TEST };
    for step in [FORMAT, LINT, LINT_FEATURES, DOCUMENT].into_iter().chain(tests) {
        if !step.run(&postgres.url(), &stopped)? {
            failed.push(step.heading);
        }
    }
    drop(postgres);
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    println!("\nall checks and tests passed in {} s", started.elapsed().as_secs());
    Ok(())
}

fn has_nextest() -> bool {
    let found =
        Command::new(cargo()).args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

impl Step {
    /// Whether it passed. An error where it was stopped, or could not be started.
    fn run(&self, postgres_url: &str, stopped: &AtomicBool) -> anyhow::Result<bool> {
        println!("\n== {}: cargo {}", self.heading, self.arguments.join(" "));
        let started = Instant::now();
        let mut command = Command::new(cargo());
        command.args(self.arguments).env(SHARED_SERVER, postgres_url).envs(self.environment.iter().copied());
        let passed = succeeds(&mut command, stopped)?;
        println!(
            "== {}: {} in {} s",
            self.heading,
            if passed { "passed" } else { "failed" },
            started.elapsed().as_secs()
        );
        Ok(passed)
    }
}
