//! A fleet whose rows follow from their client, target and minute: no two runs differ but in their times.

use std::sync::Arc;

use netqoe_dataflow::judge::PairState;
use netqoe_model::{
    AggregateRow, ClientContext, ClientRow, EventTime, LogTime, Percentiles, Rules, WindowRow, WindowStart,
};

use crate::options::BenchQueryOptions;

const MINUTE_MS: i64 = 60_000;

/// Each target has a fault for so many minutes, one after the other.
const FAULT_MINUTES: u32 = 20;
/// Until the first target's turn comes again.
const FAULTS: u32 = 24;
/// One window of so many is slow by chance.
const SLOW_BY_CHANCE: u64 = 100;

pub(super) struct Fleet {
    clients: Vec<Arc<str>>,
    targets: Vec<Arc<str>>,
    pub(super) minutes: u32,
    /// End of the last window.
    pub(super) end_ms: i64,
    rules: Rules,
    /// What the next window of each pair is judged by.
    states: Vec<PairState>,
}

impl Fleet {
    /// Whose last whole window has just ended.
    pub(super) fn new(options: &BenchQueryOptions, now_ms: i64) -> Self {
        let (clients, targets) = (options.clients.get(), options.targets.get());
        let clients: Vec<_> = (0..clients).map(|n| format!("client-{n:05}").into()).collect();
        let targets: Vec<_> = (0..targets).map(|n| format!("https://t-{n:03}.example/").into()).collect();
        let rules = Rules::default();
        let states = vec![PairState::new(&rules.diagnosis); clients.len() * targets.len()];
        let end_ms = now_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        Self { clients, targets, minutes: options.minutes.get(), end_ms, rules, states }
    }

    /// A client and a target, each in turn.
    pub(super) fn names(&self, nth: usize) -> (&str, &str) {
        (&self.clients[nth * 7 % self.clients.len()], &self.targets[nth % self.targets.len()])
    }

    pub(super) fn start_ms(&self, minute: u32) -> i64 {
        self.end_ms - i64::from(self.minutes - minute) * MINUTE_MS
    }

    /// The rows of one minute; minutes come one after the other.
    pub(super) fn rows(&mut self, minute: u32) -> Vec<AggregateRow> {
        let pairs =
            (0..self.clients.len()).flat_map(|client| (0..self.targets.len()).map(move |target| (client, target)));
        let pairs: Vec<_> = pairs.collect();
        pairs.into_iter().zip(0..).map(|((client, target), pair)| self.row(client, target, pair, minute)).collect()
    }

    fn row(&mut self, client: usize, target: usize, pair: usize, minute: u32) -> AggregateRow {
        let window = window(client as u64, target as u64, minute, self.start_ms(minute));
        let judged = self.states[pair].judge(&window, &self.rules);
        let (client_id, target) = (Arc::clone(&self.clients[client]), Arc::clone(&self.targets[target]));
        AggregateRow {
            client_id,
            target,
            window,
            diagnosis: judged.diagnosis,
            ended_runs: judged.ended_runs,
            pair_state: judged.pair_state,
        }
    }

    /// The clients, as seen in one minute, of four providers and three kinds of network.
    pub(super) fn clients(&self, minute: u32) -> Vec<ClientRow> {
        let seen = EventTime::from_ms(self.start_ms(minute));
        let of = |(nth, client_id): (usize, &Arc<str>)| {
            let isp = ["Northline", "Fjordnet", "Cablecore", "Skymobile"][nth % 4];
            let network_type = ["ethernet", "wifi", "cellular"][nth % 3];
            let context = format!(r#"{{"network_type":"{network_type}","isp":"{isp}"}}"#);
            let (client_id, context) = (Arc::clone(client_id), ClientContext::parse(&context));
            ClientRow { client_id, context, first_seen: seen, last_seen: seen }
        };
        self.clients.iter().enumerate().map(of).collect()
    }
}

/// Two measurements of one pair in one minute.
fn window(client: u64, target: u64, minute: u32, start_ms: i64) -> WindowRow {
    let seed = mixed(client << 40 | target << 20 | u64::from(minute));
    let is_broken = client % 25 == 3 && target % 10 == 7;
    let is_faulty = u64::from(minute / FAULT_MINUTES % FAULTS) == target % u64::from(FAULTS);
    let slow = if is_faulty || seed.is_multiple_of(SLOW_BY_CHANCE) { 3 } else { 1 };
    // Medians from 5 to 50 ms, a scatter of a few percent.
    let us = |phase: u64| {
        let median = 5_000 + mixed(client << 30 | target << 8 | phase) % 45_000;
        let p50 = median * (970 + mixed(seed ^ phase) % 60) / 1000;
        Some(Percentiles { p50, p95: p50 * 104 / 100 })
    };
    let ttfb = us(3).map(|Percentiles { p50, p95 }| Percentiles { p50: p50 * slow, p95: p95 * slow });
    WindowRow {
        start: WindowStart::from_ms(start_ms),
        is_final: true,
        as_of: LogTime::from_ms(start_ms + 3 * MINUTE_MS),
        count_success: if is_broken { 0 } else { 2 },
        errors: if is_broken { [0, 2, 0, 0, 0] } else { [0; 5] },
        percentiles: if is_broken { [None; 5] } else { [us(0), us(1), us(2), ttfb, us(4)] },
        network: None,
        tags: None,
    }
}

/// A number that seems to have nothing to do with the one before. Source: the finalizer of SplitMix64.
fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
