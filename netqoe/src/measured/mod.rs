//! A store, measured from outside: how long it takes, what succeeds, how many connections are at work.

mod reader;
mod store;

use std::sync::Arc;

use netqoe_model::metrics::Metrics;
use parking_lot::Mutex;
use prometheus::HistogramTimer;

pub(crate) use reader::MeasuredReader;
pub(crate) use store::MeasuredStore;

/// Whether the last commit and the last question succeeded. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct StoreHealth {
    writing: Side,
    reading: Side,
}

/// What was wrong at the last try, if anything.
type Side = Arc<Mutex<Option<String>>>;

impl StoreHealth {
    /// What is wrong with the store, where something is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let wrong = self.writing.lock().clone().or_else(|| self.reading.lock().clone());
        wrong.map_or(Ok(()), Err)
    }
}

/// A connection at work: it is counted, and its time is taken, until this is dropped.
struct AtWork {
    metrics: Metrics,
    timer: Option<HistogramTimer>,
}

impl AtWork {
    fn begin(metrics: &Metrics, operation: &str) -> Self {
        metrics.db_connections_in_use.inc();
        let timer = metrics.db_query_duration.with_label_values(&[operation]).start_timer();
        Self { metrics: metrics.clone(), timer: Some(timer) }
    }

    /// It did not come to any work.
    fn forget_time(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.stop_and_discard();
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.metrics.db_connections_in_use.dec();
    }
}
