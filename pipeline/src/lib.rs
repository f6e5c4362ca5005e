//! What stands between log, dataflow and store: feeds that read the log, the quarantine of records that end the process,
//! the thread that commits, and what all of them show of themselves.
//!
//! This crate must not know any command, option or exit code, nor how a request reaches it: what it shows, it shows by
//! narrow traits of the query API. What an event means is the dataflow's, and how a row is stored the store's.

mod age;
mod alarm;
mod backlog;
mod caution;
mod committer;
mod crew;
mod dead_letters;
mod excerpt;
mod feeds;
pub mod jetstream;
mod log_clock;
mod measured;
pub mod observation;
mod opened_store;
mod patience;
mod pipeline;
mod recent;
pub mod ticker;
mod view;

pub use backlog::Backlog;
pub use committer::{Committed, Gathering, Totals};
pub use crew::Crew;
pub use dead_letters::{StoreLetters, StreamLetters};
pub use excerpt::Excerpt;
pub use feeds::{FileFeeds, LogFeeds};
pub use log_clock::LogClockCheck;
pub use measured::{MeasuredReader, MeasuredStore, StoreHealth};
pub use opened_store::{OpenedStore, SetAside};
pub use patience::Patience;
pub use pipeline::{Failures, Pipeline, alone, starts};
pub use view::{Observed, View, kind};
