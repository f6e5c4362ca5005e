//! The measuring agent: what one user's connection to one URL takes, phase by phase.
//!
//! [`measure`] makes one measurement: a fresh DNS lookup, a TCP connect to the address that was found, a TLS
//! handshake, the request, its first byte, its body. Every phase is taken from events of its own on one monotonic
//! clock, over a connection of its own; nothing is cached, resumed or reused. What was not reached is absent, never 0.
//! [`run_probe`] does so on a fixed schedule and hands each event to a [`Reporter`].
//!
//! This crate must not know the pipeline: where events go, how they are stored, or what they are taken to mean.

mod agent;
mod client_id;
mod connect;
mod deadline;
mod dns;
mod event;
mod failure;
mod http;
mod measure;
mod phases;
mod schedule;
mod settings;
mod target;
mod tls;
mod wire;

pub use agent::{AgentStopped, Plan, ProbeCounts, Reporter, run_probe};
pub use client_id::{HostNameError, host_name};
pub use failure::Failure;
pub use measure::{Measurement, measure};
pub use phases::{Phases, Span, Transfer};
pub use schedule::{DEFAULT_INTERVAL, Schedule};
pub use settings::{DEFAULT_TIMEOUT, NameServers, Settings};
pub use target::{InvalidTarget, Target};
