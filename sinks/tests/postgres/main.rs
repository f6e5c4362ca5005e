//! What is true of PostgreSQL alone: how the store gets to a server, and what happens when the server fails it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "as in test functions: everything here is part of a test"
)]

mod settings;
mod tls;

use std::sync::Arc;

use netqoe_sinks::{PostgresOptions, PostgresStore, StoreError};

fn connect(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::connect(url, &PostgresOptions::default(), Arc::new(|| 1))
}

/// Writes a file into the server's folder, as the user that the server runs as: it trusts no other's.
fn write_file(client: &mut postgres::Client, name: &str, content: &str) {
    let lines = content.lines().map(|line| format!("('{}')", line.replace('\'', "''"))).collect::<Vec<_>>().join(",");
    client.batch_execute(&format!("COPY (VALUES {lines}) TO PROGRAM 'umask 077; cat > {name}'")).unwrap();
}
