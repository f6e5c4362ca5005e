//! What the generator of events promises, in one binary.

#![allow(clippy::unwrap_used, reason = "everything here is part of a test")]

mod demo;
mod scenario;
mod simulation;
