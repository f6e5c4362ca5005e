//! Whole clusters in one process: each member is a thread that joins as a process would.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "as in test functions: everything here is part of a test")]

mod join;
