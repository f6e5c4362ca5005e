//! `cargo xtask bench`: what the benches of netqoe want beside it, and a build with them.

use std::process::Command;

use anyhow::ensure;
use netqoe_testbed::{NatsServer, Postgres};

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
