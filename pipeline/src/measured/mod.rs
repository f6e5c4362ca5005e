//! A store, measured from outside: how long it takes, what succeeds, how many connections are at work.
//!
//! Decision: D-009.

mod reader;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netqoe_model::metrics::Metrics;
use netqoe_sinks::StoreError;
use parking_lot::Mutex;
use prometheus::HistogramTimer;

pub use reader::MeasuredReader;
pub use store::MeasuredStore;

/// The largest commit takes a second or two. One that lasts longer is tried again, since its server is away, or waits.
const TOO_LONG: Duration = Duration::from_secs(5);

/// Whether the last commit and the last question succeeded. Clones are the same one.
#[derive(Clone, Default)]
pub struct StoreHealth {
    writing: Side,
    reading: Side,
    following: Side,
    /// What is being written, and since when.
    under_way: Arc<Mutex<Option<(&'static str, Instant)>>>,
    /// Counts what the store did not do.
    failures: Arc<AtomicU64>,
}

/// What was wrong at the last try, if anything.
type Side = Arc<Mutex<Option<String>>>;

impl StoreHealth {
    /// What is wrong with the store at `now`, where something is.
    pub fn check(&self, now: Instant) -> Result<(), String> {
        let waits_for =
            self.under_way.lock().map(|(operation, since)| (operation, now.saturating_duration_since(since)));
        if let Some((operation, waited)) = waits_for.filter(|(_, waited)| *waited >= TOO_LONG) {
            let seconds = waited.as_secs();
            return Err(format!("{operation} has lasted {seconds} s; see that the server runs and can be reached"));
        }
        let sides = [&self.writing, &self.following, &self.reading];
        sides.into_iter().find_map(|side| side.lock().clone()).map_or(Ok(()), Err)
    }

    /// Takes in whether the progress of all processes could be read.
    pub fn follow<T>(&self, read: &Result<T, StoreError>) {
        *self.following.lock() = read.as_ref().err().map(StoreError::without_place);
        if read.is_err() {
            self.failed();
        }
    }

    /// How often the store could not be written or read.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection at work: it is counted until this is dropped, and its time is taken where it does one thing.
struct AtWork {
    metrics: Metrics,
    _timer: Option<HistogramTimer>,
}

impl AtWork {
    fn begin(metrics: &Metrics, operation: &str) -> Self {
        metrics.db_connections_in_use.inc();
        let timer = metrics.db_query_duration.with_label_values(&[operation]).start_timer();
        Self { metrics: metrics.clone(), _timer: Some(timer) }
    }

    /// Counted alone.
    fn untimed(metrics: &Metrics) -> Self {
        metrics.db_connections_in_use.inc();
        Self { metrics: metrics.clone(), _timer: None }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.metrics.db_connections_in_use.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_too_long_is_wrong_before_it_has_failed() {
        let (health, began) = (StoreHealth::default(), Instant::now());
        *health.under_way.lock() = Some(("commit", began));
        assert_eq!(health.check(began + TOO_LONG / 2), Ok(()));
        let wrong = health.check(began + TOO_LONG).unwrap_err();
        assert!(wrong.starts_with("commit has lasted 5 s"), "{wrong}");
    }
}
