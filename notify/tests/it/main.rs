//! Notifications as their receivers see them: decisions on a store and a clock of the test, and real servers on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "everything here is part of a test")]

mod away;
mod fleet;
mod remind;
mod restart;
mod server;
mod smtp;
mod thread;
mod webhook;
