//! The HTTP API in front of the log: who may send, how much, and whether what comes is an event.
//!
//! A request passes through the modules in this order: [`serve`] holds the connection, `authentication` the token,
//! then the body is read and decompressed, split into events, each event checked, each client's rate, and what is
//! left appended to the log. An answer of 200 means that the log has stored the events durably.
//!
//! This crate must not know what a window, a row or a store is: behind it lies the log, and nothing else. It also
//! holds the routes that every netqoe server has ([`assemble`]), whatever else it serves.

mod answer;
mod arriving;
mod attempts;
mod authentication;
mod batch;
mod body;
mod clock;
pub mod config;
mod connection;
mod events;
mod exchange;
mod http2_frames;
mod media;
mod memory;
mod nesting;
mod operations;
mod outage;
mod own_host;
mod pairs;
mod places;
mod rate;
mod request_head;
mod same_origin;
mod server;
mod session;
mod sign_in;
mod signed_out;
mod tokens;

pub use clock::{Clock, SystemClock};
pub use config::{IngestConfig, ServerLimits};
pub use events::Ingest;
pub use memory::RequestMemory;
pub use operations::{ComponentCheck, OperationsAccess, assemble};
pub use same_origin::refuse_other_sites;
pub use server::{ServeError, bind, listen, serve};
pub use sign_in::SignIn;
pub use tokens::{Grant, Tokens, TokensError};
