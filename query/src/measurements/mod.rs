//! Single measurements, as the log keeps them: what explains the row of a window.
//!
//! Decision: D-100.

mod answer;
mod corrected;
pub(crate) mod different;
mod outcome;
mod route;

pub(crate) use route::routes;

use futures::future::BoxFuture;

/// Where events are kept as they were accepted, for as long as they are kept.
pub trait Measurements: Send + Sync {
    /// The events that are asked for, newest first, as far as one question reads.
    fn find(&self, sought: Sought) -> BoxFuture<'_, Result<Found, MeasurementsError>>;

    /// Events of some time, whosever they are: the newest of them, as many as one question reads.
    fn sample(&self, sampled: Sampled) -> BoxFuture<'_, Result<Sample, MeasurementsError>>;
}

/// Which events are sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Of this client, if that is said.
    pub client_id: Option<String>,
    /// Of this target, if that is said.
    pub target: Option<String>,
    /// Measured at or after this time, Unix milliseconds.
    pub from_ms: i64,
    /// Measured before this time, Unix milliseconds.
    pub to_ms: i64,
}

/// Events that are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Valid events, a line each.
    pub lines: Vec<Vec<u8>>,
    /// Whether these are all that there are.
    pub is_whole: bool,
    /// The log time of the oldest record that is kept, if older ones were discarded, Unix milliseconds.
    pub kept_since_ms: Option<i64>,
}

/// Which events are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Of this client.
    pub client_id: String,
    /// Of this target, if that is said.
    pub target: Option<String>,
    /// Measured at or after this time, Unix milliseconds.
    pub from_ms: i64,
    /// Measured before this time, Unix milliseconds.
    pub to_ms: i64,
    /// Before this place, if that is said.
    pub before: Option<Place>,
    /// Those that the log took after their window was closed, too, if it took them by this time, Unix milliseconds.
    pub late_until_ms: Option<i64>,
}

/// A place in the log of a client's partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The record's position.
    pub position: u64,
    /// The number of its line, from 0.
    pub line: u32,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEvent {
    /// Where it is.
    pub place: Place,
    /// When the log took it, Unix milliseconds.
    pub log_time_ms: i64,
    /// Its line, which is a valid event.
    pub line: Vec<u8>,
}

/// What is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Newest first.
    pub events: Vec<FoundEvent>,
    /// Events before this place were not looked at; none if all were.
    pub rest: Option<Place>,
    /// The log time of the oldest record that is kept, if older ones were discarded, Unix milliseconds.
    pub kept_since_ms: Option<i64>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeasurementsError {
    /// As many questions as are answered at once are being answered.
    #[error("others are looking at measurements; ask again in a moment")]
    Busy,
    /// The log can't be read, or not in time.
    #[error("{0}")]
    Unavailable(String),
}
