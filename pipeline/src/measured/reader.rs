use netqoe_model::Checkpoint;
use netqoe_model::metrics::Metrics;
use netqoe_sinks::read::{
    AggregateRecord, ClientRecord, CurrentRecord, DegradedRecord, DiagnosisRecord, Extent, Filter, Matching, Page,
    Pair, PastLabel, PointRecord, Query, ReadError, Reader, RowPosition, RunRecord, SplitRecord, TargetRecord,
};

use super::{AtWork, StoreHealth};

/// The reading side of a store, which it does not change.
pub struct MeasuredReader<R> {
    reader: R,
    metrics: Metrics,
    health: StoreHealth,
}

impl<R: Reader> MeasuredReader<R> {
    /// `reader` has so many connections at most.
    pub fn new(reader: R, connections: usize, metrics: &Metrics, health: &StoreHealth) -> Self {
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
            Err(ReadError::Unavailable { reason, .. }) => {
                *self.health.reading.lock() = Some(format!("can't be read for now: {reason}"));
            }
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

    fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError> {
        self.ask("checkpoints", Reader::checkpoints)
    }

    fn current(&self, extent: &Extent, limit: u32) -> Result<Vec<CurrentRecord>, ReadError> {
        self.ask("current", |reader| reader.current(extent, limit))
    }

    fn latest_labels(&self, pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Result<Vec<Vec<PastLabel>>, ReadError> {
        self.ask("latest_labels", |reader| reader.latest_labels(pairs, times_ms, limit))
    }

    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError> {
        self.ask("points", |reader| reader.points(extent, point_ms, limit))
    }

    fn split(
        &self,
        extent: &Extent,
        inside_ms: [i64; 2],
        matching: &Matching,
        limit: u32,
    ) -> Result<Vec<SplitRecord>, ReadError> {
        self.ask("split", |reader| reader.split(extent, inside_ms, matching, limit))
    }

    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError> {
        self.ask("degraded", |reader| reader.degraded(extent, limit))
    }

    fn runs(&self, filter: &Filter, limit: u16) -> Result<Page<RunRecord>, ReadError> {
        self.ask("runs", |reader| reader.runs(filter, limit))
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

        fn nothing<T>(&self) -> Result<Vec<T>, ReadError> {
            (self.0)().map_or(Ok(Vec::new()), Err)
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

        fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError> {
            self.nothing()
        }

        fn current(&self, _: &Extent, _: u32) -> Result<Vec<CurrentRecord>, ReadError> {
            self.nothing()
        }

        fn latest_labels(&self, _: &[Pair], _: [i64; 2], _: u32) -> Result<Vec<Vec<PastLabel>>, ReadError> {
            self.nothing()
        }

        fn points(&self, _: &Extent, _: i64, _: u32) -> Result<Vec<PointRecord>, ReadError> {
            self.nothing()
        }

        fn split(&self, _: &Extent, _: [i64; 2], _: &Matching, _: u32) -> Result<Vec<SplitRecord>, ReadError> {
            self.nothing()
        }

        fn degraded(&self, _: &Extent, _: u32) -> Result<Vec<DegradedRecord>, ReadError> {
            self.nothing()
        }

        fn runs(&self, _: &Filter, _: u16) -> Result<Page<RunRecord>, ReadError> {
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
        assert_eq!(reader.runs(&Filter::default(), 1).is_err(), is_error);
        assert_eq!(reader.rules().is_err(), is_error);
        assert_eq!(reader.checkpoints().is_err(), is_error);
        let extent = Extent { client_id: None, target: None, from_ms: 0, to_ms: 1 };
        assert_eq!(reader.current(&extent, 1).is_err(), is_error);
        assert_eq!(reader.latest_labels(&[], [0, 1], 1).is_err(), is_error);
        assert_eq!(reader.points(&extent, 1, 1).is_err(), is_error);
        assert_eq!(reader.split(&extent, [0, 1], &Matching::Degraded, 1).is_err(), is_error);
        assert_eq!(reader.degraded(&extent, 1).is_err(), is_error);
        let pages = ["aggregates", "diagnoses", "clients", "targets"];
        let summaries = ["checkpoints", "current", "latest_labels", "points", "split", "degraded"];
        for operation in pages.into_iter().chain(summaries).chain(["runs", "rules"]) {
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
