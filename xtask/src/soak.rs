//! `cargo xtask soak`: a network parts the NATS servers of a cluster, one after the other.

use std::process::Command;

use anyhow::ensure;
use netqoe_testbed::{OTHER_NATS_SERVER, new_nats_server};

use crate::child::{cargo, stopped_by_signals, succeeds};

/// Once with Debian's nats-server, and once with the newer one.
pub(crate) fn run() -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let newer = new_nats_server()?;
    for (version, server) in [("Debian's nats-server", None), ("the newer nats-server", Some(newer))] {
        println!("\n== {version}");
        let mut command = Command::new(cargo());
        command.args(["test", "--locked", "-p", "netqoe", "--test", "cluster", "--"]);
        command.args(["--nocapture", "--ignored", "parted::"]).envs(server.map(|server| (OTHER_NATS_SERVER, server)));
        ensure!(succeeds(&mut command, &stopped)?, "what was found with {version} is printed above");
    }
    Ok(())
}
