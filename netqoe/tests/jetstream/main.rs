//! The commands on a real nats-server and on both stores, as an operator runs them.

#![allow(clippy::unwrap_used, clippy::panic)] // nothing here but tests

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "bench")]
mod bench;
mod dead_letters;
mod flush;
mod health;
mod history;
mod ingest;
mod maintenance;
mod reading;
mod stage;
mod supervision;
