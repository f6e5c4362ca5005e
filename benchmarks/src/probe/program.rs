//! A program under measurement.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::resources;

/// Runs until it is dropped. What it says is not read.
pub(super) struct Program(Child);

impl Program {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Self)
    }

    /// CPU seconds that it has used so far.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        resources::cpu_seconds(self.0.id())
    }

    /// The most memory that it has had resident at once.
    pub(super) fn peak_memory_bytes(&self) -> anyhow::Result<u64> {
        resources::peak_memory_bytes(self.0.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where something went wrong.
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

/// An address of loopback that is free now. Another program could take it meanwhile, and the measurement would fail.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    listener.local_addr().context("can't tell the port")
}
