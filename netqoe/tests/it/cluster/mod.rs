//! The cluster on a real nats-server and a real PostgreSQL: the same rows whatever its shape, an end that everybody
//! notices, and no work on a log that is not what it was.

#![allow(clippy::unwrap_used)] // nothing here but tests

#[path = "../cluster_support/mod.rs"]
mod cluster_support;
#[path = "../support/mod.rs"]
mod support;

mod ends;
mod lost_log;
mod parted;
mod refusals;
mod replicas;
mod shapes;
mod three_servers;
