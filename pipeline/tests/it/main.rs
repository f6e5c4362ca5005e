//! The pipeline between a real log and a real store, each in a file, without the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assembly;
mod backlog;
mod corrections;
mod incidents;
mod quarantine;
mod replay;
mod support;
