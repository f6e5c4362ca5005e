//! The commands on a real nats-server and on both stores, as an operator runs them.

#[cfg(feature = "bench")]
mod bench;
mod dead_letters;
mod flush;
mod health;
mod history;
mod ingest;
mod maintenance;
mod measurements;
mod reading;
pub(crate) mod stage;
mod supervision;
