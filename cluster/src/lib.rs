//! The processes of one timely cluster: how they find each other, and how they notice that one is lost.
//!
//! Between each two processes there are two TCP connections, both opened by the later process: one for timely's messages,
//! one for heartbeats. Each begins with a handshake, in which both sides prove that they know the cluster's secret.
//! Workers may wait for a slow store for as long as it takes; heartbeats have threads of their own and go on all the same.
//!
//! This crate must not know what the workers compute, nor any log, store, option or exit code. Its errors say what
//! happened and what to do; the binary decides how the process ends.
//!
//! Decision: D-017.

mod acceptor;
mod cluster;
mod connect;
mod error;
mod handshake;
mod heartbeat;
mod membership;
mod secret;

pub use cluster::Cluster;
pub use error::ClusterError;
pub use handshake::Rejection;
pub use heartbeat::{Heartbeat, Loss, Lost};
pub use membership::Membership;
pub use secret::Secret;
