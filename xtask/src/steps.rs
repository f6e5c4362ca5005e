//! What `cargo xtask test` does, in order.
//!
//! Decision: D-080.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, bail};
use netqoe_testbed::{NatsServer, OTHER_NATS_SERVER, PackagedPython, Postgres, SHARED_SERVER, new_nats_server};

use crate::child::{cargo, has_extension, program, stopped_by_signals, succeeds};
use crate::compiler::Task;
use crate::flaky;
use crate::page::{check_node, npm};
use crate::scratch::Scratch;

/// The variable with the URL of the NATS server that the page's tests share.
const NATS_SERVER: &str = "NETQOE_TEST_NATS_URL";
/// How many tests nextest runs at a time.
const TEST_THREADS: &str = "NEXTEST_TEST_THREADS";
/// For each core: most of the long tests wait for a server, a window or a time limit. With three, tests waited for each other, and one
/// that waits for two minutes at most failed; the run was no shorter.
const TEST_THREADS_A_CORE: usize = 2;

/// All that stands behind a feature. Lints, documentation and tests have it in one and the same program, so that everything
/// is compiled once: a test of HTTP/3 or of a planted fault costs no build of its own. A plant that no variable asks for
/// does nothing.
const FEATURES: &str = "netqoe/planted-faults,netqoe/http3,netqoe/bench,netqoe-probe/fuzzing";
/// The tests of the log, which a newer nats-server must pass as well.
const LOG_ON_NATS: &str = "package(netqoe-eventlog) & test(/^jetstream::/)";

/// One command.
#[derive(Clone, Copy)]
struct Step {
    heading: &'static str,
    tool: Tool,
    arguments: &'static [&'static str],
}

/// What a command is one of.
#[derive(Clone, Copy)]
enum Tool {
    Cargo,
    /// In the page's folder.
    Npm,
}

const FORMAT: Step = Step::cargo("format", &["fmt", "--all", "--check"]);
/// What users build has no features, and must compile without them. Of tests nothing depends on that. There are no
/// examples: they stand here since cargo then takes the same features of libraries as for the tests, and compiles none again.
/// It is no `cargo check`, which would check all libraries of others as well; but no code is generated ([`Task::Check`]). The build
/// comes after it, and replaces the empty file that it leaves in place of netqoe.
const LINT_SHIPPED: Step =
    Step::cargo("lints of what is shipped", &["build", "--workspace", "--lib", "--bins", "--examples", "--locked"]);
/// The tests and all that they need, linted and documented ([`Task::Compile`]). A lint or a broken link fails it. The last of the steps that
/// want all cores.
const BUILD: Step = Step::cargo(
    "build, lints and documentation",
    &["build", "--workspace", "--all-targets", "--features", FEATURES, "--locked"],
);

const NEXTEST: Step = Step::cargo("tests", &["nextest", "run", "--workspace", "--features", FEATURES, "--locked"]);
const TEST: Step = Step::cargo("tests", &["test", "--workspace", "--features", FEATURES, "--locked"]);

/// The log on a newer nats-server, beside other tests: what it answers, keeps and forgets is the log's to know, and nothing behind the log
/// sees which server it is. So these are all tests of the log, and no others. They are chosen out of the
/// workspace's, since a build of one crate alone would take others of its libraries' features, and minutes.
const NEW_NATS_NEXTEST: Step = Step::cargo(
    "tests with a newer nats-server",
    &[
        "nextest",
        "run",
        "--profile",
        "newer-nats",
        "--workspace",
        "--features",
        FEATURES,
        "--locked",
        "-E",
        LOG_ON_NATS,
    ],
);
const NEW_NATS_TEST: Step = Step::cargo(
    "tests with a newer nats-server",
    &["test", "-p", "netqoe-eventlog", "--test", "it", "--locked", "--", "jetstream::"],
);

/// The last of them shows the page of the netqoe that the tests have built.
const PAGE_STEPS: [Step; 4] = [
    Step::npm("modules of the page", &["ci"]),
    Step::npm("check of the page", &["run", "check"]),
    Step::npm("tests of the page", &["test"]),
    // Named, since one that its servers are missing for would not be noticed.
    Step::npm("the page in a browser", &["run", "e2e", "--", "--project=sqlite", "--project=postgres"]),
];

/// All checks and tests. Whatever was started is stopped, however this ends.
pub(crate) fn test() -> anyhow::Result<()> {
    let started = Instant::now();
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    check_node()?;
    // Beside the checks, so that no test waits for its packages.
    let packages = std::thread::spawn(|| PackagedPython::for_deploy().and(PackagedPython::for_openapi()).map(drop));
    let scratch = Scratch::make()?;
    let (postgres, nats) = (Postgres::start()?, NatsServer::start()?);
    let cores = std::thread::available_parallelism()?.get();
    let threads = cores * TEST_THREADS_A_CORE;
    let servers = [(SHARED_SERVER, postgres.url()), (NATS_SERVER, nats.url()), (TEST_THREADS, threads.to_string())];
    let servers = Vec::from_iter(servers.into_iter().chain(scratch.variable()));
    let variables = |task: Task| anyhow::Ok([&servers[..], &task.environment()?].concat());
    let (shared, of_check) = (variables(Task::Compile)?, variables(Task::Check)?);
    // Beside all other tests, and so with fewer threads. Of two values of a variable, the later one counts.
    let newer = [(OTHER_NATS_SERVER, new_nats_server()?.display().to_string()), (TEST_THREADS, cores.to_string())];
    let newer = [&shared[..], &newer].concat();
    let (tests, new_nats) = if has_extension("nextest") { (NEXTEST, NEW_NATS_NEXTEST) } else { (TEST, NEW_NATS_TEST) };

    let mut failed = crate::supply_chain::check(&stopped)?;
    for (step, variables) in [(FORMAT, &shared), (LINT_SHIPPED, &of_check), (BUILD, &shared)] {
        if !step.run(variables, &stopped)? {
            failed.push(step.heading);
        }
    }
    if failed.contains(&BUILD.heading) {
        bail!("failed: {}", failed.join(", "));
    }
    packages.join().ok().context("getting Python packages ended in a panic")??;
    // The page's tests and all others wait for the most part, and so they run beside each other.
    flaky::forget()?;
    let (beside, has_passed) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let page = run_held_back(&PAGE_STEPS, &shared, &stopped)?;
            anyhow::Ok([page, run_held_back(&[new_nats], &newer, &stopped)?].concat())
        });
        let has_passed = tests.run(&shared, &stopped);
        (beside.join(), has_passed)
    });
    let beside = beside.ok().context("the page's tests ended in a panic")??;
    let passed = std::iter::once(has_passed?).chain(beside.iter().map(|(passed, _)| *passed));
    let steps = std::iter::once(tests).chain(PAGE_STEPS).chain([new_nats]).zip(passed);
    failed.extend(steps.filter(|(_, passed)| !passed).map(|(step, _)| step.heading));
    // At the end of the output, where a reader looks for the reason.
    for (_, said) in beside.iter().filter(|(passed, said)| !passed || flaky::is_named_in(said)) {
        println!("\n{said}");
    }
    drop((postgres, nats, scratch));
    let flaky = match flaky::count()? {
        0 => String::new(),
        1 => "; 1 flaky test, which is named above, is to be mended".to_owned(),
        many => format!("; {many} flaky tests, which are named above, are to be mended"),
    };
    if !failed.is_empty() {
        bail!("failed: {}{flaky}", failed.join(", "));
    }
    println!("\nall checks and tests passed in {} s{flaky}", started.elapsed().as_secs());
    Ok(())
}

/// Runs steps beside others. What a step says is not printed, but returned, with whether it passed.
fn run_held_back(
    steps: &[Step],
    variables: &[(&str, String)],
    stopped: &AtomicBool,
) -> anyhow::Result<Vec<(bool, String)>> {
    let mut done = Vec::new();
    for step in steps {
        let started = Instant::now();
        let mut said = tempfile::tempfile().context("can't make a temporary file")?;
        let mut command = step.command(variables)?;
        command.stdout(said.try_clone()?).stderr(said.try_clone()?);
        let has_passed = succeeds(&mut command, stopped)?;
        step.conclude(has_passed, started);
        done.push((has_passed, format!("== {}: {}\n{}", step.heading, step.shown(), all_of(&mut said)?)));
    }
    Ok(done)
}

fn all_of(file: &mut File) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Step {
    const fn cargo(heading: &'static str, arguments: &'static [&'static str]) -> Self {
        Self { heading, tool: Tool::Cargo, arguments }
    }

    const fn npm(heading: &'static str, arguments: &'static [&'static str]) -> Self {
        Self { heading, tool: Tool::Npm, arguments }
    }

    /// Whether it passed. An error where it was stopped, or could not be started.
    fn run(&self, variables: &[(&str, String)], stopped: &AtomicBool) -> anyhow::Result<bool> {
        let started = Instant::now();
        println!("\n== {}: {}", self.heading, self.shown());
        let passed = succeeds(&mut self.command(variables)?, stopped)?;
        self.conclude(passed, started);
        Ok(passed)
    }

    fn command(&self, variables: &[(&str, String)]) -> anyhow::Result<Command> {
        let mut command = self.tool.command()?;
        command.args(self.arguments).envs(variables.iter().cloned());
        Ok(command)
    }

    fn conclude(&self, passed: bool, started: Instant) {
        let outcome = if passed { "passed" } else { "failed" };
        println!("== {}: {outcome} in {} s", self.heading, started.elapsed().as_secs());
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
