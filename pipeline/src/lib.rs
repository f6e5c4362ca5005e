//! What stands between log, dataflow and store: feeds that read the log, the quarantine of records that end the process,
//! the thread that commits, and what all of them show of themselves. [`Assembly`] puts a live log, the dataflow and a
//! store together; [`Replay`] does it for a file of history.
//!
//! ```text
//! log ─ reader ─▶ backlog ─ quarantine ─▶ feed ═▶ worker ═▶ 32 outputs ═▶ commit thread ─▶ store
//!                 (what is read and        one a worker        (bounded)       ├─▶ observed: metrics, live rows, view
//!                  not committed)                                              └─▶ fleet thread ─▶ store
//! ```
//!
//! This crate must not know any command, option or exit code, nor how a request reaches it: what it shows, it shows by
//! narrow traits of the query API. What an event means is the dataflow's, and how a row is stored the store's.
//!
//! Decision: D-083.

mod age;
mod assembly;
mod assignment;
mod backlog;
mod certificates;
mod committer;
mod corrections;
mod dead_letters;
mod error;
mod failures;
mod feeds;
mod fleet;
mod follower;
mod gauge;
mod health;
mod in_time;
mod left_out;
mod log_clock;
mod measured;
mod measurements;
mod observed;
mod observer;
mod opened_store;
mod patience;
mod pipeline;
mod pulse;
mod quarantine;
mod recent;
mod refolding;
mod replay;
mod sampled;
pub mod set_aside;
mod source;
mod ticker;
mod traced;
mod view;

pub use assembly::{Assembly, Ready, Running};
pub use assignment::Assignment;
pub use backlog::Backlog;
pub use certificates::CertificateWatch;
pub use committer::Totals;
pub use corrections::{CorrectionPace, CorrectionsOver};
pub use dead_letters::{StoreLetters, StreamLetters};
pub use error::PipelineError;
pub use failures::Failed;
pub use feeds::LogFeeds;
pub use fleet::FleetLink;
pub use follower::follow;
pub use in_time::Latecomers;
pub use measured::{MeasuredReader, MeasuredStore, StoreHealth};
pub use measurements::LogMeasurements;
pub use observed::Observed;
pub use opened_store::OpenedStore;
pub use patience::Patience;
pub use pipeline::{Pipeline, links_within};
pub use pulse::Pulse;
pub use replay::Replay;
pub use source::Source;
pub use ticker::Ticker;
pub use view::View;

use committer::{Committed, Gathering};
use failures::Failures;
use log_clock::LogClockCheck;
