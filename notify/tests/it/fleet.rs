//! A store with incidents, put in by SQL as whatever finds them leaves them, and what sends messages from it.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::metrics::Metrics;
use netqoe_model::{Generation, LogIdentity};
use netqoe_notify::{Policy, Postman, ReceiverKind, Route};
use netqoe_sinks::{Opening, Outbox, PostgresOptions, SqliteStore, Store, StoreUrl, WriteTurn};
use tempfile::TempDir;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// Minute 0 of the log. The clock of these tests stands at the log's time.
pub(crate) const START_MS: i64 = 30_000_000 * MINUTE_MS;

pub(crate) struct Fleet {
    folder: TempDir,
    connection: rusqlite::Connection,
    pub(crate) metrics: Metrics,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        SqliteStore::open(&path, WriteTurn::default(), Arc::new(|| 0)).unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        Self { folder, connection, metrics: Metrics::new() }
    }

    fn url(&self) -> StoreUrl {
        StoreUrl::Sqlite(self.folder.path().join("store.db"))
    }

    pub(crate) fn outbox(&self) -> Box<dyn Outbox> {
        self.url().connect_outbox(&PostgresOptions::default(), WriteTurn::default()).unwrap()
    }

    /// A new generation, as a start of netqoe takes it.
    pub(crate) fn start(&self) -> Generation {
        let path = self.folder.path().join("store.db");
        let mut store = SqliteStore::open(&path, WriteTurn::default(), Arc::new(|| 0)).unwrap();
        let log = LogIdentity { id: "live".to_owned(), partitions: NonZeroU16::new(16).unwrap() };
        store.open(&log, &Opening::default()).unwrap()
    }

    /// What sends to `ops` in this generation.
    pub(crate) fn postman(&self, generation: Generation) -> Postman {
        self.postman_of(generation, vec![policy("ops")])
    }

    pub(crate) fn postman_of(&self, generation: Generation, receivers: Vec<Policy>) -> Postman {
        let routes: Vec<Route> = Vec::new();
        let (outbox, metrics) = (self.outbox(), self.metrics.clone());
        Postman::new(outbox, generation, receivers, routes, MINUTE_MS, metrics, Box::new(|| 0.5))
    }

    /// The incident stands so from this minute's look on. It has this revision then.
    pub(crate) fn change(&self, incident: u32, revision: u32, minute: i64, change: &str, severity: &str) {
        let (id, at) = (id(incident), START_MS + minute * MINUTE_MS);
        let state = match change {
            "closed" => "closed",
            "withdrawn" => "withdrawn",
            _ => "open",
        };
        let closed = (state != "open").then_some(at);
        self.connection
            .execute(
                "INSERT INTO incidents (id, label, cause_dimension, cause_value, state, opened, detected, named, last, closed,
                     severity, peak_severity, degraded_at_first, healthy_at_first, degraded_now, healthy_now, pairs,
                     clients, targets, revision, as_of, updated_at)
                 VALUES (?1, 'handshake-bound', 'isp', '[\"isp-a\"]', ?2, ?3, ?3, ?3, ?3, ?4, ?5, ?5, 3, 0, 3, 0, 3, 2, 2, ?6,
                     ?3, ?3)
                 ON CONFLICT DO UPDATE SET state = ?2, last = ?3, closed = ?4, severity = ?5, revision = ?6, as_of = ?3",
                (&id, state, at, closed, severity, revision),
            )
            .unwrap();
        self.connection
            .execute(
                "INSERT INTO incident_revisions
                     (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
                 VALUES (?1, ?2, ?3, ?4, 'isp', '[\"isp-a\"]', ?5, 3)",
                (&id, revision, at, change, severity),
            )
            .unwrap();
    }

    /// The fold has come to this minute.
    pub(crate) fn fold(&self, minute: i64) {
        let through = START_MS + minute * MINUTE_MS;
        self.connection
            .execute(
                "INSERT INTO fleet (only_row, through, degraded, healthy, unjudged, unmeasured) VALUES (1, ?1, 0, 0, 0, 0)
                 ON CONFLICT DO UPDATE SET through = ?1",
                [through],
            )
            .unwrap();
    }

    /// The ids of all messages that were ever put in for a receiver.
    pub(crate) fn enqueued(&self, receiver: &str) -> Vec<String> {
        let mut ids = self.connection.prepare("SELECT id FROM outbox WHERE receiver = ?1 ORDER BY id").unwrap();
        ids.query_map([receiver], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

pub(crate) fn id(incident: u32) -> String {
    format!("{incident:016x}")
}

pub(crate) fn policy(name: &str) -> Policy {
    Policy { name: name.to_owned(), kind: ReceiverKind::Webhook, max_per_minute: 60, max_grouped: 20 }
}
