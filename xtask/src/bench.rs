//! `cargo xtask bench`: what the benches of netqoe want beside it, and a build with them.

use std::process::Command;

use anyhow::ensure;
use netqoe_testbed::{NatsServer, PackagedPython, Postgres};

use crate::child::{build_with_benches, stopped_by_signals, succeeds};
use crate::page::{check_node, npm};

/// What is shipped for production is measured.
const POSTGRES_SETTINGS: &str = include_str!("../../deploy/postgres/postgresql.conf");

/// Measures, with these further options of `netqoe bench cluster`.
pub(crate) fn cluster(options: &[String]) -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let program = build_with_benches(&stopped)?;
    let nats = NatsServer::start()?;
    let postgres = Postgres::start_with(POSTGRES_SETTINGS)?;
    let mut bench = Command::new(program);
    bench.args(["bench", "cluster", "--nats-url", &nats.url(), "--database-url", &postgres.url()]).args(options);
    ensure!(succeeds(&mut bench, &stopped)?, "the measurement failed");
    Ok(())
}

/// Measures how soon incidents reflect a look, on a SQLite file and before PostgreSQL, with these further options of `netqoe bench
/// incidents`.
pub(crate) fn incidents(options: &[String]) -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let program = build_with_benches(&stopped)?;
    println!("\n== netqoe up, SQLite");
    let mut bench = Command::new(&program);
    ensure!(
        succeeds(bench.args(["bench", "incidents"]).args(options), &stopped)?,
        "the measurement of `netqoe up` failed"
    );
    println!("\n== a cluster, PostgreSQL");
    let nats = NatsServer::start()?;
    let postgres = Postgres::start_with(POSTGRES_SETTINGS)?;
    let mut bench = Command::new(program);
    bench.args(["bench", "incidents", "--nats-url", &nats.url(), "--database-url", &postgres.url()]).args(options);
    ensure!(succeeds(&mut bench, &stopped)?, "the measurement of a cluster failed");
    Ok(())
}

/// Measures before a NATS server, with these further options of `netqoe bench shared-limits`.
pub(crate) fn shared_limits(options: &[String]) -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let program = build_with_benches(&stopped)?;
    let nats = NatsServer::start()?;
    let mut bench = Command::new(program);
    bench.args(["bench", "shared-limits", "--nats-url", &nats.url()]).args(options);
    ensure!(succeeds(&mut bench, &stopped)?, "the measurement failed");
    Ok(())
}

/// Measures beside blackbox_exporter, with these further options of `netqoe bench probe`.
pub(crate) fn probe(options: &[String]) -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let program = build_with_benches(&stopped)?;
    let mut bench = Command::new(program);
    bench.args(["bench", "probe"]).args(options);
    ensure!(succeeds(&mut bench, &stopped)?, "the measurement failed");
    Ok(())
}

/// Measures beside engines that do a part of the job, with these further options of `netqoe bench peers`.
pub(crate) fn peers(options: &[String]) -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let python = PackagedPython::for_peers()?;
    let program = build_with_benches(&stopped)?;
    let mut bench = Command::new(program);
    bench.args(["bench", "peers", "--python"]).arg(python.program()).args(options).envs([python.variable()]);
    ensure!(succeeds(&mut bench, &stopped)?, "the measurement failed, or not all have the same rows");
    Ok(())
}

/// Measures the page in a browser.
pub(crate) fn page() -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    check_node()?;
    let program = build_with_benches(&stopped)?;
    ensure!(succeeds(npm(&program).arg("ci"), &stopped)?, "the page's modules could not be fetched");
    ensure!(succeeds(npm(&program).args(["run", "bench"]), &stopped)?, "the measurement failed");
    Ok(())
}
