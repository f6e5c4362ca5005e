//! The tests of the probe as its users see it, in one binary.

#![allow(clippy::unwrap_used, reason = "everything here is part of a test")]

mod loopback;
mod support;
mod truth;
