//! The computation: from lines of the log to rows and diagnoses, over any number of workers.
//!
//! [`graph`] shows all of it on one page. What a window is, and whether it is degraded, is decided by pure structs
//! ([`window`], [`judge`]); the operators around them only move epochs and capabilities.
//!
//! This crate must not know any network, store, file or clock. What it reads comes from a [`Feed`], what it finds
//! goes to an [`Outlet`], and the only time that it knows is the log's.

mod again;
mod decode;
mod due;
mod event_batch;
mod feed;
pub mod graph;
pub mod judge;
mod operators;
mod output;
pub mod pair_window;
#[cfg(feature = "planted-faults")]
mod planted;
mod run;
mod seed;
pub mod window;

pub use again::PairsAgain;
pub use decode::Decoder;
pub use due::Pace;
pub use event_batch::EventBatch;
pub use feed::{Batch, Epochs, Feed, Mark, Polled};
pub use output::{Outlet, PartitionOutput};
pub use run::{Links, MAX_EPOCHS_IN_FLIGHT, WorkerPart, start};
pub use seed::{Pasts, Seed};
pub use window::{CorrectedPairs, CorrectedPast, LateEvents, PartitionState};
