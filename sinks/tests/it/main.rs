//! The tests of the stores as their users see them, in one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "everything here is part of a test")]

mod contract;
mod dead_letters;
mod postgres;
mod trouble;
