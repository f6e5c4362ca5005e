use netqoe_model::metrics::Metrics;
use netqoe_sinks::read::{ReadError, Reader, Snapshot, Watch, Watched};

use super::{AtWork, StoreHealth};
use crate::gauge::gauge;

/// The reading side of a store, which it does not change.
pub struct MeasuredReader<R>(Watched<R, Measuring>);

impl<R: Reader> MeasuredReader<R> {
    /// `reader` has so many connections at most.
    pub fn new(reader: R, connections: usize, metrics: &Metrics, health: &StoreHealth) -> Self {
        metrics.db_connections_max.add(gauge(connections));
        Self(Watched::new(reader, Measuring { metrics: metrics.clone(), health: health.clone() }))
    }
}

impl<R: Reader> Reader for MeasuredReader<R> {
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError> {
        self.0.at_once(ask)
    }
}

struct Measuring {
    metrics: Metrics,
    health: StoreHealth,
}

impl Measuring {
    fn take_in(&self, error: &ReadError) {
        match error {
            // They say something of the question, or of how many are asked, not of the store.
            ReadError::Busy | ReadError::TooSlow { .. } => {}
            ReadError::Unavailable { reason, .. } => {
                self.health.failed();
                *self.health.reading.lock() = Some(format!("can't be read for now: {reason}"));
            }
            ReadError::Open { .. } | ReadError::Tls { .. } | ReadError::Query { .. } => {
                self.health.failed();
                *self.health.reading.lock() = Some(error.to_string());
            }
        }
    }
}

impl Watch for Measuring {
    /// A connection is at work for as long as a snapshot of the store is.
    fn snapshot(&self, take: impl FnOnce() -> Result<(), ReadError>) -> Result<(), ReadError> {
        let _at_work = AtWork::untimed(&self.metrics);
        take().inspect_err(|error| self.take_in(error))
    }

    fn question<T>(&self, name: &'static str, ask: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
        let _timer = self.metrics.db_query_duration.with_label_values(&[name]).start_timer();
        let answer = ask();
        match &answer {
            Ok(_) => *self.health.reading.lock() = None,
            Err(error) => self.take_in(error),
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a snapshot is taken, and how the question in it is answered.
    type Outcome = fn() -> Option<ReadError>;

    /// How many times are taken, and whether the store is well, after one question was asked.
    #[track_caller]
    fn check(taken: Outcome, answered: Outcome, times_taken: u64, well: bool) {
        let (metrics, health) = (Metrics::new(), StoreHealth::default());
        let measuring = Measuring { metrics: metrics.clone(), health: health.clone() };
        let asked = measuring.snapshot(|| {
            assert_eq!(metrics.db_connections_in_use.get(), 1);
            if let Some(error) = taken() {
                return Err(error);
            }
            let answer = measuring.question("rules", || answered().map_or(Ok(7), Err));
            assert_eq!(answer.ok(), answered().is_none().then_some(7));
            Ok(())
        });
        assert_eq!(asked.is_err(), taken().is_some());
        let durations = metrics.db_query_duration.with_label_values(&["rules"]);
        assert_eq!(durations.get_sample_count(), times_taken);
        assert_eq!(health.check(std::time::Instant::now()).is_ok(), well);
        assert_eq!(metrics.db_connections_in_use.get(), 0);
    }

    fn unreadable() -> Option<ReadError> {
        Some(ReadError::Query { store: "sqlite:store.db".to_owned(), reason: "it is gone".to_owned() })
    }

    #[test]
    fn takes_the_time_of_what_comes_to_work() {
        check(|| None, || None, 1, true);
        check(|| None, || Some(ReadError::TooSlow { limit_ms: 1 }), 1, true);
        check(|| Some(ReadError::Busy), || None, 0, true);
    }

    #[test]
    fn a_store_that_cant_be_read_is_not_well() {
        check(|| None, unreadable, 1, false);
        check(unreadable, || None, 0, false);
    }

    #[test]
    fn a_store_that_can_be_read_again_is_well_again() {
        let (metrics, health) = (Metrics::new(), StoreHealth::default());
        let measuring = Measuring { metrics, health: health.clone() };
        measuring.question::<()>("rules", || unreadable().map_or(Ok(()), Err)).unwrap_err();
        assert!(health.check(std::time::Instant::now()).is_err());
        measuring.question("rules", || Ok(())).unwrap();
        assert!(health.check(std::time::Instant::now()).is_ok());
    }
}
