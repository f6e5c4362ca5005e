//! What is true of PostgreSQL alone: how the store gets to a server, and what happens when the server fails it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "as in test functions: everything here is part of a test"
)]

mod tls;

use std::sync::Arc;

use netqoe_sinks::{PostgresOptions, PostgresStore, StoreError};

fn connect(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::connect(url, &PostgresOptions::default(), Arc::new(|| 1))
}
