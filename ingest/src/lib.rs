//! Events into the log: who may send, how much, and whether what comes is an event.
//!
//! A request that the server has taken passes through the modules in this order: `body` reads and decompresses it within a
//! budget of memory, `batch` finds its events and checks each, `rate` and `pairs` bound what each client sends, and what is left
//! is appended to the log. An answer of 200 means that the log has stored the events durably.
//!
//! This crate must not know what a window, a row or a store is: behind it lies the log, and nothing else. Nor does it know of
//! connections: `netqoe_server` holds those, and the tokens.

mod answer;
mod batch;
mod body;
mod config;
mod document;
mod events;
mod media;
mod memory_bound;
mod nesting;
mod pairs;
mod rate;
mod refusals;
mod turned_away;

pub use config::IngestConfig;
pub use events::Ingest;
pub use memory_bound::MemoryBound;
pub use rate::shared::{SharedLimits, Silence};
