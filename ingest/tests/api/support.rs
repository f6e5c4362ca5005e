//! A log in memory, a clock that stands still, and requests against the router.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use futures::FutureExt;
use futures::future::BoxFuture;
use netqoe_eventlog::{AppendError, EventLog, LogError, LogReader, Start};
use netqoe_ingest::{Ingest, IngestConfig};
use netqoe_model::metrics::Metrics;
use netqoe_model::{LogIdentity, LogTime, Partition, TraceContext};
use netqoe_server::{OperationsAccess, SignIn, Tokens, assemble};
use serde_json::{Value, json};

pub(crate) use crate::shared::clock::NOW_MS;
pub(crate) use crate::shared::*;

pub(crate) const EVENTS: &str = "/api/v1/events";
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

/// What a log does with the next append.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Takes,
    Refuses(AppendError),
    NeverAnswers,
}

/// A log that keeps what is appended.
pub(crate) struct MemoryLog {
    identity: LogIdentity,
    pub(crate) lines: Mutex<Vec<(Partition, Vec<u8>)>>,
    pub(crate) mood: Mutex<Mood>,
}

impl MemoryLog {
    fn new() -> Self {
        let identity = LogIdentity { id: "memory".to_owned(), partitions: NonZeroU16::new(16).unwrap() };
        Self { identity, lines: Mutex::default(), mood: Mutex::default() }
    }

    /// The events in it.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.lines.lock().unwrap().iter().map(|(_, line)| serde_json::from_slice(line).unwrap()).collect()
    }

    /// Their ids.
    pub(crate) fn event_ids(&self) -> Vec<String> {
        self.events().iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
    }
}

impl EventLog for MemoryLog {
    fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    fn append_traced(
        &self,
        lines: Vec<(Partition, Vec<u8>)>,
        _: Option<TraceContext>,
    ) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        match self.mood.lock().unwrap().clone() {
            Mood::Takes => {
                self.lines.lock().unwrap().extend(lines);
                async { Ok(LogTime::from_ms(NOW_MS)) }.boxed()
            }
            Mood::Refuses(error) => async { Err(error) }.boxed(),
            Mood::NeverAnswers => std::future::pending().boxed(),
        }
    }

    fn tick(&self, _: Vec<Partition>) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        async { Err(AppendError::Closed) }.boxed()
    }

    fn reader(&self, _: &[Start]) -> Result<Box<dyn LogReader>, LogError> {
        Err(LogError::NoLog { path: "memory".into() })
    }
}

/// An API with everything that it touches.
pub(crate) struct Api {
    pub(crate) router: axum::Router,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) metrics: Metrics,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with(Tokens::none_on_loopback(), IngestConfig::default())
    }

    pub(crate) fn with_tokens(text: &str) -> Self {
        Self::with(Tokens::parse(text).unwrap(), IngestConfig::default())
    }

    pub(crate) fn with_config(config: IngestConfig) -> Self {
        Self::with(Tokens::none_on_loopback(), config)
    }

    pub(crate) fn with(tokens: Tokens, config: IngestConfig) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081));
        let (log, clock, metrics) = (Arc::new(MemoryLog::new()), Arc::new(HandClock::default()), Metrics::new());
        let sign_in = SignIn::new(tokens.clone(), metrics.clone(), Arc::clone(&clock) as _);
        let ingest = Ingest::new(Arc::clone(&log) as _, metrics.clone(), tokens, config, Arc::clone(&clock) as _);
        let router = assemble([ingest.router()], metrics.clone(), Vec::new(), OperationsAccess::at(address, sign_in));
        Self { router, log, clock, metrics }
    }

    /// Posts to the events route.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send("POST", EVENTS, headers, body).await
    }

    /// Posts one event, or an array.
    pub(crate) async fn post_json(&self, body: &Value) -> Answer {
        self.post(&[JSON], body.to_string()).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        send(&self.router, method, path, headers, body).await
    }
}

/// A valid event.
pub(crate) fn event(event_id: &str, client_id: &str) -> Value {
    json!({
        "schema_version": 1,
        "event_id": event_id,
        "client_id": client_id,
        "ts_ms": NOW_MS,
        "target": "https://api.example.com/",
        "network_context": {"source_ip": "192.0.2.7", "network_type": "wifi", "isp": "Example ISP"},
        "timing_measurements": {"dns_ms": 15.3, "tcp_ms": 25.7, "tls_ms": 45.2, "ttfb_ms": 125.8, "throughput_mbps": 95.4},
        "error_stage": null
    })
}

/// The same event with one member changed.
pub(crate) fn event_but(member: &str, value: Value) -> Value {
    let mut event = event("e", "c");
    event[member] = value;
    event
}
