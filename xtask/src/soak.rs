//! `cargo xtask soak`: the long forms of what `cargo xtask test` tries for a moment, and what is too long for it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;
use netqoe_testbed::{OTHER_NATS_SERVER, new_nats_server};

use crate::chaos::Chaos;
use crate::child::{cargo, stopped_by_signals, succeeds};

/// Lets tests take as long as they like, and begin with random seeds, which they print.
const SOAK_VARIABLE: &str = "NETQOE_TEST_SOAK";
/// Tests that are longer in a soak; one that wants a program in which nothing can be planted, as this build is; and one that measures
/// time.
const LONG_FORMS: [&str; 10] = [
    "cluster::replicas::",
    "cluster::shapes::",
    "crash::",
    "crash_incidents::",
    "demo::names_each_fault_soon",
    "late::",
    "openapi::the_server_keeps_to_its_document",
    "report::an_outage_is_caught_up_with",
    "report::a_probe_that_is_killed_loses_nothing_that_it_had_spooled",
    "usage::nothing_can_be_planted",
];
/// Random fleets that a soak tries with each test: a quarter of an hour on two cores.
const FLEETS: u32 = 20_000;
/// A network parts the NATS servers of a cluster, one after the other. It wants root.
const PARTED: [&str; 1] = ["cluster::parted::"];

/// All of it, also where something was found.
pub(crate) fn run() -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let newer = new_nats_server()?;
    let steps = [
        ("random faults", Chaos::Random(Vec::new()).command()),
        ("planted faults", Chaos::Planted.command()),
        ("the dataflow against references, with many random logs", dataflow()),
        ("the fleet against its reference, with many random fleets", fleet()),
        ("random histories of which much comes late", corrections()),
        ("long outages, kills at random moments, and many random requests", tests(&LONG_FORMS, None)),
        ("the Helm chart", chart()),
        ("the profile of the heap", heap()),
        ("the rows of other engines", peers()),
        ("a parted network, with Debian's nats-server", tests(&PARTED, None)),
        ("a parted network, with a newer nats-server", tests(&PARTED, Some(newer))),
    ];
    let mut failed = Vec::new();
    for (heading, mut command) in steps {
        println!("\n== {heading}");
        if !succeeds(&mut command, &stopped)? {
            failed.push(heading);
        }
    }
    ensure!(failed.is_empty(), "failed: {}; what was found is printed above", failed.join(", "));
    Ok(())
}

/// The tests of the dataflow that try random logs.
fn dataflow() -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe-dataflow", "--test", "it", "--", "reference::", "judge::"]);
    command.env(SOAK_VARIABLE, "1");
    command
}

/// Incidents of fleets in which clients come, go and move. What the gate's few dozen do not meet, some of these do: one in a
/// thousand once had its clients counted wrongly.
fn fleet() -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe-fleet", "--lib", "--", "tests::fold::", "tests::refold::"]);
    command.env("PROPTEST_CASES", FLEETS.to_string());
    command
}

/// What a running pipeline makes of what comes late.
fn corrections() -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe-pipeline", "--test", "it", "--"]);
    command.args(["--nocapture", "--include-ignored", "corrections::"]);
    command
}

/// What the Helm chart makes of its values.
fn chart() -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe-testbed", "--test", "it", "--", "--include-ignored", "the_chart_"]);
    command
}

/// Who holds memory, in a program that allocates by jemalloc: compiling that takes longer than the gate has for it.
fn heap() -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe-profile", "--features", "heap", "--test", "it", "--", "heap::"]);
    command
}

/// Whether DuckDB and ClickHouse have the same rows. Getting them takes longer than the gate has for it.
fn peers() -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe", "--features", "bench", "--test", "it", "--"]);
    command.args(["--include-ignored", "peers::"]);
    command
}

/// These tests of the whole program, one after the other.
fn tests(names: &[&str], nats_server: Option<PathBuf>) -> Command {
    let mut command = Command::new(cargo());
    command.args(["test", "--locked", "-p", "netqoe", "--test", "it", "--"]);
    command.args(["--nocapture", "--include-ignored", "--test-threads", "1"]).args(names);
    command.env(SOAK_VARIABLE, "1").envs(nats_server.map(|server| (OTHER_NATS_SERVER, server)));
    command
}
