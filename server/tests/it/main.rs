//! What every listener of netqoe has, as a client meets it: through routes, and where it matters through a real listener.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "as in test functions: everything here is part of a test")]

mod connections;
mod operations;
mod sending;
mod session;
#[path = "../shared/mod.rs"]
mod shared;
mod support;
mod tls;
