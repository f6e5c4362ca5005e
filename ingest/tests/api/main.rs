//! The API as a client meets it: through its routes, and where it matters through a real listener.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "as in test functions: everything here is part of a test")]

mod accepted;
mod access;
mod batches;
mod compressed;
mod connections;
mod left_out;
mod operations;
mod other_readers;
mod pairs;
mod properties;
mod refused;
#[path = "../../../server/tests/shared/mod.rs"]
mod shared;
mod support;
mod unavailable;
