//! The query API: what the store holds, as JSON, and what is being written to it, as server-sent events.
//!
//! This crate must not know the log, nor how rows came about: it reads a store, and is told of rows that were written.

mod answer;
mod live;
mod page;
mod parameters;
mod queries;

pub use live::LiveFeed;
pub use page::page;
pub use queries::QueryApi;
