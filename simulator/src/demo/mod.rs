//! An endless schedule of clean measurements with faults, of which any stretch of time can be asked for.

mod fleet;
mod place;
mod schedule;

use netqoe_model::ErrorStage;
use rand::RngExt;
use uuid::Builder;

pub use self::place::{Pair, Place};
pub use self::schedule::Fault;

use self::fleet::{CLIENTS, TARGETS};
use self::schedule::{HOUR_MS, MINUTE_MS};
use crate::line::{EventText, Timings};
use crate::noise::around;
use crate::turn::{LONGEST_DELAY_MS, Rota, Turn};
use crate::{FaultKind, Line};

/// Share of the measurements that fail under [`FaultKind::Error`].
const FAULT_FAILURE_SHARE: f64 = 0.9;

/// A network of 20 clients at 4 providers and of 3 kinds of access, each of which measures 6 targets every 10 to 15 s.
///
/// The schedule of faults counts from the demo's start, hour by hour. Each hour has 12 minutes in which no fault starts,
/// then one fault of each kind and one for each sort of [`Place`], dealt at random, and one or two short ones.
/// They last 3 to 25 minutes and may overlap, but no pair of client and target has two at a time. The last fault of
/// each hour goes on into the next; so one is going on at the end of the first hour, which is the [history](Self::HISTORY_MS)
/// to start a demo with.
///
/// What is measured when depends on the seed and the time alone, not on the start: a demo that is
/// started anew sends no event id with another time than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    seed: u64,
    /// A whole minute.
    start_ms: i64,
}

impl Demo {
    /// From the start on, this holds a fault of every kind, and ends within one.
    pub const HISTORY_MS: i64 = HOUR_MS;

    /// A demo whose faults count from the first whole minute at or after `start_ms`, where its history starts.
    pub fn new(seed: u64, start_ms: i64) -> Self {
        Self { seed, start_ms: (start_ms + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS }
    }

    /// What ingest receives in `from_ms..to_ms`, ordered by [`Line::recv_ms`]: events as clients send them, without
    /// `recv_ts_ms`. Stretches that follow each other give what the whole gives.
    pub fn lines(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Line> {
        let faults: Vec<Fault> = self.faults_in(from_ms - LONGEST_DELAY_MS, to_ms).collect();
        let mut turns: Vec<Turn> = (0..CLIENTS.len())
            .flat_map(|client| (0..TARGETS.len()).map(move |target| (client, target)))
            .map(|(client, target)| Rota { client, clients: CLIENTS.len(), target, targets: TARGETS.len() })
            .flat_map(|rota| rota.received_in(self.seed, from_ms, to_ms))
            .collect();
        turns.sort_unstable_by_key(|turn| (turn.recv_ms, turn.client, turn.target));
        turns.into_iter().map(move |turn| Line { recv_ms: turn.recv_ms, text: event(turn, &faults) })
    }

    /// The faults that touch some of `from_ms..to_ms`, in the order in which they start.
    pub fn faults_in(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Fault> {
        let hour = |ts_ms: i64| (ts_ms - self.start_ms).div_euclid(HOUR_MS);
        // The last fault of the hour before may go on.
        let hours = (hour(from_ms) - 1).max(0)..=hour(to_ms - 1);
        hours
            .flat_map(|number| schedule::hour(self.seed, self.start_ms, number))
            .filter(move |fault| fault.from_ms < to_ms && from_ms < fault.to_ms)
    }
}

fn event(turn: Turn, faults: &[Fault]) -> String {
    let Turn { client, target, ts_ms, mut rng, .. } = turn;
    let (pair, source_host) = (fleet::pair(client, target), client as u8 + 1);
    let (isp, network, target) = (fleet::isp(client), fleet::network(client), &TARGETS[target]);
    let fault = faults.iter().find(|fault| fault.touches(&pair, ts_ms));

    let mut medians = Timings {
        dns_ms: 12.0 * isp.slowness,
        tcp_ms: 20.0 * target.distance,
        tls_ms: 35.0 * target.distance,
        ttfb_ms: 90.0 * target.distance,
        throughput_mbps: network.mbps,
    };
    if let Some(fault) = fault {
        fault.kind.worsen_by(&mut medians, fault.factor);
    }
    let mut measured = |median| around(&mut rng, median, network.spread);
    let timings = Timings {
        dns_ms: measured(medians.dns_ms),
        tcp_ms: measured(medians.tcp_ms),
        tls_ms: measured(medians.tls_ms),
        ttfb_ms: measured(medians.ttfb_ms),
        throughput_mbps: measured(medians.throughput_mbps),
    };
    let fails = fault.is_some_and(|fault| fault.kind == FaultKind::Error);
    let failure_share = if fails { FAULT_FAILURE_SHARE } else { network.failure_share };
    let error_stage =
        rng.random_bool(failure_share).then(|| ErrorStage::ALL[rng.random_range(0..ErrorStage::ALL.len())]);
    let text = EventText {
        event_id: Builder::from_random_bytes(rng.random()).into_uuid(),
        client_id: pair.client_id,
        ts_ms,
        target: pair.target,
        source_host,
        network_type: pair.network_type,
        isp: pair.isp,
        timings,
        error_stage,
        recv_ts_ms: None,
    }
    .to_string();
    match (error_stage, text.strip_suffix('}')) {
        (Some(stage), Some(members)) => {
            format!("{members},\"evidence\":{{\"error_message\":\"{}\"}}}}", message(stage, pair.target))
        }
        _ => text,
    }
}

/// What the probe would say of a failure at this stage. Needs no escapes.
fn message(stage: ErrorStage, target: &str) -> String {
    let host = target.trim_start_matches("https://").trim_end_matches('/');
    match stage {
        ErrorStage::Dns => format!("{host} could not be resolved: 192.0.2.53:53: no answer"),
        ErrorStage::Tcp => "no connection to 198.51.100.7:443: Connection refused (os error 111)".to_owned(),
        ErrorStage::Tls => "the TLS handshake was not completed within 30s".to_owned(),
        ErrorStage::Http => "the server answered with status 503".to_owned(),
        ErrorStage::Throughput => "the body broke off after 4096 bytes: the connection ended".to_owned(),
    }
}
