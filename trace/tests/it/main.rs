//! Spans as a collector gets them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "everything here is part of a test")]

mod collector;
mod delivery;
mod sampling;
