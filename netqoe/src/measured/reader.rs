use netqoe_model::metrics::Metrics;
use netqoe_sinks::read::{
    AggregateRecord, ClientRecord, DiagnosisRecord, Page, Query, ReadError, Reader, RowPosition, TargetRecord,
};

use super::{AtWork, StoreHealth};

/// The reading side of a store, which it does not change.
pub(crate) struct MeasuredReader<R> {
    reader: R,
    metrics: Metrics,
    health: StoreHealth,
}

impl<R: Reader> MeasuredReader<R> {
    /// `reader` has so many connections at most.
    pub(crate) fn new(reader: R, connections: usize, metrics: &Metrics, health: &StoreHealth) -> Self {
        metrics.db_connections_max.add(i64::try_from(connections).unwrap_or(i64::MAX));
        Self { reader, metrics: metrics.clone(), health: health.clone() }
    }

    fn ask<T>(&self, operation: &str, question: impl FnOnce(&R) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let mut at_work = AtWork::begin(&self.metrics, operation);
        let answer = question(&self.reader);
        match &answer {
            Ok(_) => *self.health.reading.lock() = None,
            Err(ReadError::Busy) => at_work.forget_time(),
            // It says something of the question, not of the store.
            Err(ReadError::TooSlow { .. }) => {}
            Err(error @ (ReadError::Open { .. } | ReadError::Query { .. })) => {
                *self.health.reading.lock() = Some(error.to_string());
            }
        }
        answer
    }
}

impl<R: Reader> Reader for MeasuredReader<R> {
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        self.ask("aggregates", |reader| reader.aggregates(query))
    }

    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
        self.ask("diagnoses", |reader| reader.diagnoses(query))
    }

    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
        self.ask("clients", |reader| reader.clients(query))
    }

    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
        self.ask("targets", |reader| reader.targets(query))
    }

    fn rules(&self) -> Result<Option<String>, ReadError> {
        self.ask("rules", Reader::rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every question in the same way.
    struct Always(fn() -> Option<ReadError>);

    impl Always {
        fn page<T>(&self) -> Result<Page<T>, ReadError> {
            (self.0)().map_or(Ok(Page { items: Vec::new(), has_more: false }), Err)
        }
    }

    impl Reader for Always {
        fn aggregates(&self, _: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
            self.page()
        }

        fn diagnoses(&self, _: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
            self.page()
        }

        fn clients(&self, _: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
            self.page()
        }

        fn targets(&self, _: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
            self.page()
        }

        fn rules(&self) -> Result<Option<String>, ReadError> {
            (self.0)().map_or(Ok(None), Err)
        }
    }

    fn unreadable() -> Option<ReadError> {
        Some(ReadError::Query { store: "sqlite:store.db".to_owned(), reason: "it is gone".to_owned() })
    }

    /// How many times are taken, and whether the store is well, after each question was asked once.
    #[track_caller]
    fn check(answer: fn() -> Option<ReadError>, times_taken: u64, well: bool) {
        let (metrics, health) = (Metrics::new(), StoreHealth::default());
        let reader = MeasuredReader::new(Always(answer), 4, &metrics, &health);
        assert_eq!(metrics.db_connections_max.get(), 4);
        let by_row = Query { filter: Default::default(), after: None, limit: 1 };
        let by_name = Query { filter: Default::default(), after: None, limit: 1 };
        let is_error = answer().is_some();
        assert_eq!(reader.aggregates(&by_row).is_err(), is_error);
        assert_eq!(reader.diagnoses(&by_row).is_err(), is_error);
        assert_eq!(reader.clients(&by_name).is_err(), is_error);
        assert_eq!(reader.targets(&by_name).is_err(), is_error);
        assert_eq!(reader.rules().is_err(), is_error);
        for operation in ["aggregates", "diagnoses", "clients", "targets", "rules"] {
            let durations = metrics.db_query_duration.with_label_values(&[operation]);
            assert_eq!(durations.get_sample_count(), times_taken, "{operation}");
        }
        assert_eq!(health.check(std::time::Instant::now()).is_ok(), well);
        assert_eq!(metrics.db_connections_in_use.get(), 0);
    }

    #[test]
    fn takes_the_time_of_what_comes_to_work() {
        check(|| None, 1, true);
        check(|| Some(ReadError::TooSlow { limit_ms: 1 }), 1, true);
        check(|| Some(ReadError::Busy), 0, true);
    }

    #[test]
    fn a_store_that_cant_be_read_is_not_well() {
        check(unreadable, 1, false);
    }
}
