//! What `cargo xtask test` does, in order.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use netqoe_testbed::{Postgres, SHARED_SERVER};

/// How often a running step is looked at.
const EVERY: Duration = Duration::from_millis(50);

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
const DOCUMENT: Step = Step {
    heading: "documentation",
    arguments: &["doc", "--no-deps", "--workspace", "--locked"],
    environment: &[("RUSTDOCFLAGS", "-D warnings")],
};
const NEXTEST: Step =
    Step { heading: "tests", arguments: &["nextest", "run", "--workspace", "--locked"], environment: &[] };
const TEST: Step = Step { heading: "tests", arguments: &["test", "--workspace", "--locked"], environment: &[] };

/// All checks and tests. Whatever was started is stopped, however this ends.
pub(crate) fn test() -> anyhow::Result<()> {
    let started = Instant::now();
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    ctrlc::set_handler(move || stop.store(true, Ordering::SeqCst)).context("can't listen for signals")?;
    netqoe_testbed::install_missing()?;
    let postgres = Postgres::start()?;
    let mut failed = Vec::new();
    for step in [FORMAT, LINT, DOCUMENT, if has_nextest() { NEXTEST } else { TEST }] {
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

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Step {
    /// Whether it passed. An error where it was stopped, or could not be started.
    fn run(&self, postgres_url: &str, stopped: &AtomicBool) -> anyhow::Result<bool> {
        println!("\n== {}: cargo {}", self.heading, self.arguments.join(" "));
        let started = Instant::now();
        let mut child = Command::new(cargo())
            .args(self.arguments)
            .env(SHARED_SERVER, postgres_url)
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .context("can't run cargo")?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if stopped.load(Ordering::SeqCst) {
                child.kill()?;
                child.wait()?;
                bail!("stopped");
            }
            std::thread::sleep(EVERY);
        };
        println!(
            "== {}: {} in {} s",
            self.heading,
            if status.success() { "passed" } else { "failed" },
            started.elapsed().as_secs()
        );
        Ok(status.success())
    }
}
