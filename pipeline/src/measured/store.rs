use std::time::Instant;

use netqoe_model::metrics::Metrics;
use netqoe_sinks::{Store, StoreError};

use super::{AtWork, StoreHealth};

/// Connections that a store writes with.
const CONNECTIONS: i64 = 1;

/// The writing side of a store. Whatever is done with it is measured.
pub struct MeasuredStore {
    store: Box<dyn Store>,
    metrics: Metrics,
    health: StoreHealth,
}

impl MeasuredStore {
    /// A store whose work is shown in `metrics` and `health`.
    pub fn new(store: Box<dyn Store>, metrics: &Metrics, health: &StoreHealth) -> Self {
        metrics.db_connections_max.add(CONNECTIONS);
        for status in ["committed", "failed"] {
            metrics.db_transactions.with_label_values(&[status]).inc_by(0);
        }
        Self { store, metrics: metrics.clone(), health: health.clone() }
    }

    /// A store of whose work nobody sees the figures.
    pub fn unwatched(store: Box<dyn Store>) -> Self {
        Self::new(store, &Metrics::new(), &StoreHealth::default())
    }

    /// Does something that `operation` names, in a transaction.
    pub(crate) fn transact<T>(
        &mut self,
        operation: &'static str,
        work: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let at_work = AtWork::begin(&self.metrics, operation);
        *self.health.under_way.lock() = Some((operation, Instant::now()));
        let done = work(&mut *self.store);
        *self.health.under_way.lock() = None;
        drop(at_work);
        let status = if done.is_ok() { "committed" } else { "failed" };
        self.metrics.db_transactions.with_label_values(&[status]).inc();
        *self.health.writing.lock() = done.as_ref().err().map(StoreError::without_place);
        if done.is_err() {
            self.health.failed();
        }
        done
    }

    /// Nothing more will be written.
    pub(crate) fn complete(self) -> Result<(), StoreError> {
        self.store.complete()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netqoe_model::{DiagnosisRules, LogIdentity};
    use netqoe_sinks::{Opening, SqliteStore};

    use super::*;

    #[test]
    fn counts_what_succeeds_and_what_fails() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db"), Arc::default(), Arc::new(|| 0)).unwrap();
        let (metrics, health) = (Metrics::new(), StoreHealth::default());
        let mut store = MeasuredStore::new(Box::new(store), &metrics, &health);
        assert_eq!(metrics.db_connections_max.get(), 1);

        let log = LogIdentity { id: "log".to_owned(), partitions: netqoe_model::DEFAULT_PARTITIONS };
        let first = store.transact("open", |store| store.open(&log, &Opening::default())).unwrap();
        store.transact("resume", |store| store.resume(first, &DiagnosisRules::default())).unwrap();
        store.transact("commit", |store| store.commit(first, &[])).unwrap();
        let second = store.transact("open", |store| store.open(&log, &Opening::default())).unwrap();
        let fenced = store.transact("commit", |store| store.commit(first, &[])).unwrap_err();
        assert_eq!(health.check(Instant::now()), Err(fenced.to_string()));
        store.transact("commit", |store| store.commit(second, &[])).unwrap();
        assert_eq!(health.check(Instant::now()), Ok(()));

        let transactions = |status| metrics.db_transactions.with_label_values(&[status]).get();
        assert_eq!((transactions("committed"), transactions("failed")), (5, 1));
        let durations = |operation| metrics.db_query_duration.with_label_values(&[operation]).get_sample_count();
        assert_eq!((durations("open"), durations("resume"), durations("commit")), (2, 1, 3));
        assert_eq!(metrics.db_connections_in_use.get(), 0);
    }
}
