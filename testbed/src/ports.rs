//! Ports for servers that must come back on the same one.

use std::net::TcpListener;
use std::ops::Range;

use anyhow::Context;
use rand::RngExt;

/// Below the range from which the system takes ports for outgoing connections: while a server is down, nobody else
/// gets its port, and a client that tries to reach it can't connect to itself.
const PORTS: Range<u16> = 15_000..32_000;
/// Ports that are tried. Most are free on any machine.
const TRIES: usize = 100;

/// A loopback port that nobody listens on.
///
/// # Errors
/// Where none of a hundred is free.
pub fn free_port() -> anyhow::Result<u16> {
    let mut rng = rand::rng();
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let free = (0..TRIES).map(|_| rng.random_range(PORTS)).find(is_free);
    free.with_context(|| format!("none of {TRIES} ports that were tried is free"))
}
