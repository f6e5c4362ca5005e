//! The events of one sender: prompt ones, late ones, early ones, some from a future that nobody believes in, some with
//! the id of another, and now and then a line that is none.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::{JSON, NDJSON};

const CLIENTS: u64 = 5;
const TARGETS: u64 = 3;
const ERROR_STAGES: [&str; 5] = ["dns", "tcp", "tls", "http", "throughput"];
/// What ingest refuses without letting its neighbours suffer.
const MALFORMED: [&str; 2] = [r#"{"event_id":"x","client_id":"","ts_ms":5}"#, r#"{"schema_version":9,"event_id":"x"}"#];

/// A body, with its type, and the ids of the events in it that will be taken.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) event_ids: BTreeSet<String>,
    pub(super) content_type: (&'static str, &'static str),
    pub(super) body: String,
    /// Lines in it that ingest refuses.
    pub(super) malformed: usize,
}

/// Where the events of a sender come from. All but the present is decided by its seed.
pub(super) struct Events {
    rng: StdRng,
    sender: u64,
    made: u64,
}

impl Events {
    pub(super) fn new(seed: u64, sender: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed.wrapping_mul(1_000) + sender), sender, made: 0 }
    }

    /// The sender's own dice.
    pub(super) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// One event, an array, or NDJSON.
    pub(super) fn request(&mut self, now_ms: i64) -> Request {
        let form = self.rng.random_range(0..3);
        let count = if form == 0 { 1 } else { self.rng.random_range(2..12) };
        let events: Vec<_> = (0..count).map(|_| self.event(now_ms)).collect();
        let event_ids = events.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
        let mut lines: Vec<_> = events.iter().map(Value::to_string).collect();
        let malformed = usize::from(form == 2 && self.rng.random_bool(0.1));
        lines.extend((0..malformed).map(|_| MALFORMED[self.rng.random_range(0..MALFORMED.len())].to_owned()));
        let (content_type, body) = match form {
            0 => (JSON, lines.remove(0)),
            1 => (JSON, format!("[{}]", lines.join(","))),
            _ => (NDJSON, lines.join("\n")),
        };
        Request { event_ids, content_type, body, malformed }
    }

    /// One event, of about this moment.
    pub(super) fn event(&mut self, now_ms: i64) -> Value {
        self.made += 1;
        let rng = &mut self.rng;
        let (client, target) = (rng.random_range(0..CLIENTS), rng.random_range(0..TARGETS));
        // An id counts for its client, target and window only.
        let id = if rng.random_bool(0.02) { self.made.saturating_sub(3) } else { self.made };
        let age_ms = match rng.random_range(0..100) {
            0..90 => rng.random_range(0..700),
            90..96 => rng.random_range(1_500..4_500),
            96..99 => -rng.random_range(0..4_000),
            _ => -rng.random_range(60_000..200_000),
        };
        let error_stage = rng.random_bool(0.05).then(|| ERROR_STAGES[rng.random_range(0..ERROR_STAGES.len())]);
        let ts_ms = now_ms - age_ms;
        json!({
            "event_id": format!("{}-{id}", self.sender),
            "client_id": format!("sender-{}-client-{client}", self.sender),
            "ts_ms": ts_ms,
            "target": format!("https://target-{target}.example.com/"),
            "network_context": {"network_type": "wifi", "isp": format!("isp-{}", rng.random_range(0..2))},
            "timing_measurements": measurements(rng, ts_ms, target),
            "error_stage": error_stage,
        })
    }
}

/// Usual values, and for some seconds now and then one that is not.
fn measurements(rng: &mut StdRng, ts_ms: i64, target: u64) -> Value {
    let hurts = |turn: i64| if (ts_ms / 4_000).rem_euclid(7) == turn + target as i64 { 8.0 } else { 1.0 };
    let mut around = |value: f64| (value * rng.random_range(0.9..1.1) * 100.0).round() / 100.0;
    json!({
        "dns_ms": around(12.0 * hurts(0) * hurts(0)), "tcp_ms": around(20.0 * hurts(1)), "tls_ms": around(35.0),
        "ttfb_ms": around(90.0 * hurts(2)), "throughput_mbps": around(80.0 / hurts(3)),
    })
}
