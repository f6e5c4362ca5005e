//! An endless schedule of clean measurements with faults, of which any stretch of time can be asked for.

use netqoe_model::ErrorStage;
use rand::RngExt;
use uuid::Builder;

use crate::line::{EventText, Timings};
use crate::noise::around;
use crate::turn::{Rota, Turn};
use crate::{FaultKind, Line};

const MINUTE_MS: i64 = 60_000;

/// No fault before this: a baseline needs five windows first.
const QUIET_MS: i64 = 8 * MINUTE_MS;
/// Then a fault starts this often ...
const FAULT_EVERY_MS: i64 = 4 * MINUTE_MS;
/// ... and lasts this long: far less than the ten windows of a baseline, or it would become the usual.
const FAULT_MS: i64 = 3 * MINUTE_MS;

const CLIENTS: usize = 20;
/// Standard deviation of the logarithm of what is measured. Well below the 5 % at which a baseline's σ has its floor,
/// so that nothing but the faults is out of the ordinary.
const SPREAD: f64 = 0.02;
/// Share of the measurements that fail, without and with [`FaultKind::Error`].
const USUAL_FAILURE_SHARE: f64 = 0.001;
const FAULT_FAILURE_SHARE: f64 = 0.9;

/// Providers, and how many times slower than the usual their name servers are.
const ISPS: [(&str, f64); 4] = [("Northline", 1.0), ("Fjordnet", 1.2), ("Cablecore", 1.4), ("Skymobile", 1.6)];
/// Kinds of access, and their usual Mbit/s.
const NETWORKS: [(&str, f64); 3] = [("ethernet", 240.0), ("wifi", 90.0), ("cellular", 35.0)];
/// Targets, and how many times further than the usual they are away.
const TARGETS: [(&str, f64); 6] = [
    ("https://www.example.com/", 0.5),
    ("https://api.example.com/", 0.7),
    ("https://cdn.example.com/", 0.4),
    ("https://shop.example.com/", 0.9),
    ("https://video.example.com/", 1.1),
    ("https://login.example.com/", 1.3),
];

/// A network of 20 clients at 4 providers and of 3 kinds of access, each of which measures 6 targets every 10 to 15 s.
///
/// The schedule of faults counts from the demo's start: 8 minutes of quiet, then every 4 minutes a fault of 3 minutes,
/// which all clients of one target see. Kinds follow each other in the order of [`FaultKind::ALL`], so that
/// half an hour from the start on holds each of them in full:
///
/// | minutes | 8–11 | 12–15 | 16–19 | 20–23 | 24–27 | 28–31 | … |
/// | --- | --- | --- | --- | --- | --- | --- | --- |
/// | fault | dns | handshake | server | throughput | error | dns | … |
/// | target | 1st | 2nd | 3rd | 4th | 5th | 2nd | … |
///
/// Every round of five starts one target further on. So a target has at least 13 clear minutes between two
/// faults, in which its baseline forgets the first.
///
/// What is measured when depends on the seed and the time alone, not on the start: a demo that is
/// started anew sends no event id with another time than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    seed: u64,
    /// A whole minute.
    start_ms: i64,
}

/// A fault of the demo's schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// With which target.
    pub target: &'static str,
    /// The first measurement that it touches, in Unix milliseconds; a whole minute.
    pub from_ms: i64,
    /// The first that it does not touch any more.
    pub to_ms: i64,
}

impl Demo {
    /// A demo whose faults count from the first whole minute at or after `start_ms`, where its history starts.
    pub fn new(seed: u64, start_ms: i64) -> Self {
        Self { seed, start_ms: (start_ms + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS }
    }

    /// What ingest receives in `from_ms..to_ms`, ordered by [`Line::recv_ms`]: events as clients send them, without
    /// `recv_ts_ms`. Stretches that follow each other give what the whole gives.
    pub fn lines(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Line> {
        let mut turns: Vec<Turn> = (0..CLIENTS)
            .flat_map(|client| (0..TARGETS.len()).map(move |target| (client, target)))
            .map(|(client, target)| Rota { client, clients: CLIENTS, target, targets: TARGETS.len() })
            .flat_map(|rota| rota.received_in(self.seed, from_ms, to_ms))
            .collect();
        turns.sort_unstable_by_key(|turn| (turn.recv_ms, turn.client, turn.target));
        turns.into_iter().map(|turn| Line { recv_ms: turn.recv_ms, text: self.event(turn) })
    }

    /// The faults that touch some of `from_ms..to_ms`, in the order of time.
    pub fn faults_in(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Fault> {
        let numbers = self.fault_number(from_ms).max(0)..=self.fault_number(to_ms - 1);
        numbers.map(|number| self.fault(number)).filter(move |fault| fault.to_ms > from_ms)
    }

    /// The number of the latest fault that has started at a time; negative in the quiet before the first.
    fn fault_number(&self, ts_ms: i64) -> i64 {
        (ts_ms - self.start_ms - QUIET_MS).div_euclid(FAULT_EVERY_MS)
    }

    /// A fault by its number, from 0.
    fn fault(&self, number: i64) -> Fault {
        let kinds = FaultKind::ALL.len();
        let (round, kind) = (number as usize / kinds, number as usize % kinds);
        let from_ms = self.start_ms + QUIET_MS + number * FAULT_EVERY_MS;
        Fault {
            kind: FaultKind::ALL[kind],
            target: TARGETS[(kind + round) % TARGETS.len()].0,
            from_ms,
            to_ms: from_ms + FAULT_MS,
        }
    }

    fn fault_at(&self, target: &str, ts_ms: i64) -> Option<FaultKind> {
        self.faults_in(ts_ms, ts_ms + 1).find(|fault| fault.target == target).map(|fault| fault.kind)
    }

    fn event(&self, turn: Turn) -> String {
        let Turn { client, target, ts_ms, mut rng, .. } = turn;
        let (target, distance) = TARGETS[target];
        let (isp, slowness) = ISPS[client % ISPS.len()];
        let (network_type, mbps) = NETWORKS[client % NETWORKS.len()];
        let fault = self.fault_at(target, ts_ms);

        let mut timings = Timings {
            dns_ms: around(&mut rng, 12.0 * slowness, SPREAD),
            tcp_ms: around(&mut rng, 20.0 * distance, SPREAD),
            tls_ms: around(&mut rng, 35.0 * distance, SPREAD),
            ttfb_ms: around(&mut rng, 90.0 * distance, SPREAD),
            throughput_mbps: around(&mut rng, mbps, SPREAD),
        };
        if let Some(kind) = fault {
            kind.worsen(&mut timings);
        }
        let failure_share = if fault == Some(FaultKind::Error) { FAULT_FAILURE_SHARE } else { USUAL_FAILURE_SHARE };
        let error_stage =
            rng.random_bool(failure_share).then(|| ErrorStage::ALL[rng.random_range(0..ErrorStage::ALL.len())]);
        EventText {
            event_id: Builder::from_random_bytes(rng.random()).into_uuid(),
            client_id: &format!("demo-{:02}", client + 1),
            ts_ms,
            target,
            source_host: client as u8 + 1,
            network_type,
            isp,
            timings,
            error_stage,
            recv_ts_ms: None,
        }
        .to_string()
    }
}
