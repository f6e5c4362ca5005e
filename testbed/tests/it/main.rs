//! The tests of the servers and of the link that other tests use, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is part of a test")]

mod deploy;
mod servers;
mod slow_link;
