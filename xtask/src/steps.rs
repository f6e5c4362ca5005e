//! What `cargo xtask test` does, in order.

use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::bail;
use netqoe_testbed::{NatsServer, OTHER_NATS_SERVER, Postgres, SHARED_SERVER, new_nats_server};

use crate::child::{cargo, program, stopped_by_signals, succeeds};
use crate::page::{check_node, npm};

/// The variable with the URL of the NATS server that the page's tests share.
const NATS_SERVER: &str = "NETQOE_TEST_NATS_URL";

/// One command.
struct Step {
    heading: &'static str,
    tool: Tool,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

/// What a command is one of.
#[derive(Clone, Copy)]
enum Tool {
    Cargo,
    /// In the page's folder.
    Npm,
}

const FORMAT: Step =
    Step { heading: "format", tool: Tool::Cargo, arguments: &["fmt", "--all", "--check"], environment: &[] };
const LINT: Step = Step {
    heading: "lint",
    tool: Tool::Cargo,
    arguments: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    environment: &[],
};
/// What stands behind features is compiled by nothing else here.
const LINT_FEATURES: Step = Step {
    heading: "lint of features",
    tool: Tool::Cargo,
    arguments: &[
        "clippy",
        "-p",
        "netqoe",
        "-p",
        "netqoe-probe",
        "--features",
        "netqoe/planted-faults,netqoe/http3,netqoe-probe/fuzzing",
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
    tool: Tool::Cargo,
    arguments: &["doc", "--no-deps", "--workspace", "--locked"],
    environment: &[("RUSTDOCFLAGS", "-D warnings")],
};
const NEXTEST: [Step; 2] = [
    Step {
        heading: "tests",
        tool: Tool::Cargo,
        arguments: &["nextest", "run", "--workspace", "--locked"],
        environment: &[],
    },
    Step {
        heading: "tests of HTTP/3",
        tool: Tool::Cargo,
        arguments: &["nextest", "run", "-p", "netqoe-probe", "--features", "http3", "--locked", "--", "http3", "quic"],
        environment: &[],
    },
];
const TEST: [Step; 2] = [
    Step { heading: "tests", tool: Tool::Cargo, arguments: &["test", "--workspace", "--locked"], environment: &[] },
    Step {
        heading: "tests of HTTP/3",
        tool: Tool::Cargo,
        arguments: &["test", "-p", "netqoe-probe", "--features", "http3", "--locked", "--", "http3", "quic"],
        environment: &[],
    },
];
/// The log on a newer nats-server: what it answers, keeps and forgets is the log's to know, and nothing behind the log
/// sees which server it is. So these are all tests of the log, half a minute of them, and no others. They are chosen out of the
/// workspace's, since a build of one crate alone would take others of its libraries' features, and minutes.
const NEW_NATS_NEXTEST: Step = Step {
    heading: "tests with a newer nats-server",
    tool: Tool::Cargo,
    arguments: &["nextest", "run", "--workspace", "--locked", "-E", "package(netqoe-eventlog) & binary(jetstream)"],
    environment: &[],
};
const NEW_NATS_TEST: Step = Step {
    heading: "tests with a newer nats-server",
    tool: Tool::Cargo,
    arguments: &["test", "-p", "netqoe-eventlog", "--test", "jetstream", "--locked"],
    environment: &[],
};
/// The last of them shows the page of the netqoe that the tests have built.
const PAGE_STEPS: [Step; 4] = [
    Step { heading: "modules of the page", tool: Tool::Npm, arguments: &["ci"], environment: &[] },
    Step { heading: "check of the page", tool: Tool::Npm, arguments: &["run", "check"], environment: &[] },
    Step { heading: "tests of the page", tool: Tool::Npm, arguments: &["test"], environment: &[] },
    // Named, since one that its servers are missing for would not be noticed.
    Step {
        heading: "the page in a browser",
        tool: Tool::Npm,
        arguments: &["run", "e2e", "--", "--project=sqlite", "--project=postgres"],
        environment: &[],
    },
];

/// All checks and tests. Whatever was started is stopped, however this ends.
pub(crate) fn test() -> anyhow::Result<()> {
    let started = Instant::now();
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    check_node()?;
    let (postgres, nats) = (Postgres::start()?, NatsServer::start()?);
    let servers = [(SHARED_SERVER, postgres.url()), (NATS_SERVER, nats.url())];
    let mut failed = crate::supply_chain::check(&stopped)?;
    let (tests, new_nats) = if has_nextest() { (NEXTEST, NEW_NATS_NEXTEST) } else { (TEST, NEW_NATS_TEST) };
    for step in [FORMAT, LINT, LINT_FEATURES, DOCUMENT].into_iter().chain(tests).chain(PAGE_STEPS) {
        if !step.run(&servers, &stopped)? {
            failed.push(step.heading);
        }
    }
    let newer = [(OTHER_NATS_SERVER, new_nats_server()?.display().to_string())];
    if !new_nats.run(&newer, &stopped)? {
        failed.push(new_nats.heading);
    }
    drop((postgres, nats));
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
    fn run(&self, servers: &[(&str, String)], stopped: &AtomicBool) -> anyhow::Result<bool> {
        let started = Instant::now();
        let mut command = self.tool.command()?;
        println!("\n== {}: {}", self.heading, self.shown());
        command.args(self.arguments).envs(servers.iter().cloned()).envs(self.environment.iter().copied());
        let passed = succeeds(&mut command, stopped)?;
        println!(
            "== {}: {} in {} s",
            self.heading,
            if passed { "passed" } else { "failed" },
            started.elapsed().as_secs()
        );
        Ok(passed)
    }

    fn shown(&self) -> String {
        let tool = match self.tool {
            Tool::Cargo => "cargo",
            Tool::Npm => "npm",
        };
        format!("{tool} {}", self.arguments.join(" "))
    }
}

impl Tool {
    fn command(self) -> anyhow::Result<Command> {
        Ok(match self {
            Self::Cargo => Command::new(cargo()),
            Self::Npm => npm(&program("debug")?),
        })
    }
}
