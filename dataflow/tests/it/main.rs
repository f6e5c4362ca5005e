//! The tests of the dataflow against references, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is part of a test")]

mod judge;
mod reference;
mod scenarios;
mod support;
mod thresholds;
