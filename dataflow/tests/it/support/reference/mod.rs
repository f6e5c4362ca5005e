//! The semantics in the plainest code that states them: everything is kept, and computed from scratch at the end.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use netqoe_model::{
    Diagnosis, Event, Figure, Label, Ledger, LogTime, Network, PairTags, Percentiles, Rules, Run, UsualRange,
    WindowRow, WindowStart,
};

mod classic;
mod error_bound;
pub(crate) mod looks;
mod network;
mod runs;
pub(crate) mod steady;
mod stretches;
mod tags;

pub(crate) type Key = (String, String, i64);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) is_final: bool,
    /// The least and the greatest log time that the row may say to reflect. Of a final row they are one.
    pub(crate) as_of_ms: [i64; 2],
    pub(crate) count_success: u32,
    pub(crate) errors: [u32; 5],
    pub(crate) percentiles: [Option<Percentiles>; 5],
    pub(crate) network: Option<Arc<Network>>,
    pub(crate) tags: Option<Arc<PairTags>>,
    pub(crate) judged: Judged,
}

/// What a window comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) diagnosis: Option<Diagnosis>,
    pub(crate) suspected: Option<Label>,
    /// By label.
    pub(crate) ended_runs: Vec<Run>,
}

/// What a pair's window is compared with, in the order dns, handshake, ttfb, total, throughput.
pub(crate) type Usual = [Option<UsualRange>; 5];

#[derive(Default)]
struct Window {
    ids: BTreeSet<String>,
    success: u32,
    errors: [u32; 5],
    samples: [Vec<u64>; 5],
    /// Of the events that name a network: time, place in the log, and what they name.
    networks: Vec<(i64, usize, Arc<Network>)>,
    /// The same of those that carry labels.
    tags: Vec<(i64, usize, Arc<PairTags>)>,
    /// The log time at which the last event was counted.
    counted_ms: i64,
}

/// What is known of a client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Client {
    pub(crate) first_seen_ms: i64,
    pub(crate) last_seen_ms: i64,
    /// What its newest event says of its network, and the network that this names.
    pub(crate) context: Option<serde_json::Value>,
    pub(crate) network_type: Option<String>,
    pub(crate) isp: Option<String>,
}

/// All that a log comes to.
pub(crate) struct Everything {
    pub(crate) rows: BTreeMap<Key, Row>,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) ledger: Ledger,
}

/// A line with its log time; none if it is the running maximum of what the lines say.
pub(crate) type Record = (Option<i64>, String);

/// Rows and counts of one partition's log (or of a whole file).
pub(crate) fn run(records: &[Record], rules: &Rules) -> (BTreeMap<Key, Row>, Ledger) {
    let Everything { rows, ledger, .. } = run_all(records, rules);
    (rows, ledger)
}

/// All that one partition's log (or a whole file) comes to.
pub(crate) fn run_all(records: &[Record], rules: &Rules) -> Everything {
    let (mut windows, mut ledger, mut log_time) = (BTreeMap::<Key, Window>::new(), Ledger::default(), 0);
    let mut clients = BTreeMap::<String, Client>::new();
    for (place, (given, line)) in records.iter().enumerate() {
        ledger.read += u64::from(!line.is_empty());
        if let Some(given) = given {
            log_time = *given;
        }
        let Ok(event) = Event::parse(line.as_bytes()) else {
            ledger.invalid += u64::from(!line.is_empty());
            continue;
        };
        if given.is_none() {
            log_time = log_time.max(event.recv.unwrap_or(event.ts).ms());
        }
        let ts = event.ts.ms();
        let start = ts / rules.window_ms * rules.window_ms;
        if ts > log_time + rules.max_future_ms {
            ledger.invalid += 1;
            continue;
        }
        if log_time > start + rules.window_ms + rules.lateness_ms {
            ledger.late += 1;
            continue;
        }
        let window = windows.entry((event.client_id.to_string(), event.target.to_string(), start)).or_default();
        if !window.ids.insert(event.event_id.to_string()) {
            ledger.duplicate += 1;
            continue;
        }
        ledger.accepted += 1;
        window.counted_ms = log_time;
        window.networks.extend(network::named(line).map(|network| (ts, place, network)));
        window.tags.extend(tags::carried(line).map(|tags| (ts, place, tags)));
        see(&mut clients, &event.client_id, ts, line);
        if let Some(stage) = event.error_stage {
            window.errors[stage as usize] += 1;
        } else {
            window.success += 1;
            for (samples, sample) in window.samples.iter_mut().zip(event.samples) {
                samples.extend(sample);
            }
        }
    }
    let closed = |start: i64| log_time > start + rules.window_ms + rules.lateness_ms;
    let mut pairs = BTreeMap::<(String, String), Vec<WindowRow>>::new();
    let mut counted_ms = BTreeMap::<Key, i64>::new();
    for ((client, target, start), window) in windows {
        let row = WindowRow {
            start: WindowStart::from_ms(start),
            is_final: closed(start),
            as_of: LogTime::from_ms(log_time.max(1)),
            count_success: window.success,
            errors: window.errors,
            percentiles: window.samples.map(percentiles),
            // "The newest by `ts_ms`; of those with the same time, the last in the log."
            network: newest(window.networks),
            tags: newest(window.tags),
        };
        counted_ms.insert((client.clone(), target.clone(), start), window.counted_ms);
        pairs.entry((client, target)).or_default().push(row);
    }
    let mut rows = BTreeMap::new();
    for ((client, target), windows) in pairs {
        for (window, judged) in windows.iter().zip(judged(&windows, rules)) {
            let key = (client.clone(), target.clone(), window.start.ms());
            // "`as_of` of a final row is the first log time at which it is final"; an open one may have been shown at any
            // time since it last changed.
            let first_final_ms = window.start.ms() + rules.window_ms + rules.lateness_ms + 1;
            let as_of_ms = if window.is_final { [first_final_ms; 2] } else { [counted_ms[&key], log_time] };
            rows.insert(key, Row { as_of_ms, ..Row::of(window, judged) });
        }
    }
    Everything { rows, clients, ledger }
}

fn newest<T>(said: Vec<(i64, usize, T)>) -> Option<T> {
    said.into_iter().max_by_key(|(ts, place, _)| (*ts, *place)).map(|(.., newest)| newest)
}

/// "What the newest counted event of a client says": of those with the same time, the last in the log.
fn see(clients: &mut BTreeMap<String, Client>, client_id: &str, ts: i64, line: &str) {
    let context = network::context(line);
    let network = network::named(line);
    let name = |name: Option<&Arc<str>>| name.map(|name| name.to_string());
    let mut seen = Client {
        first_seen_ms: ts,
        last_seen_ms: ts,
        network_type: name(network.as_ref().and_then(|network| network.network_type.as_ref())),
        isp: name(network.as_ref().and_then(|network| network.isp.as_ref())),
        context,
    };
    if let Some(before) = clients.get(client_id) {
        let first_seen_ms = ts.min(before.first_seen_ms);
        if ts < before.last_seen_ms {
            seen = before.clone();
        }
        seen.first_seen_ms = first_seen_ms;
    }
    clients.insert(client_id.to_owned(), seen);
}

impl Row {
    pub(crate) fn of(window: &WindowRow, judged: Judged) -> Self {
        Self {
            is_final: window.is_final,
            as_of_ms: [window.as_of.ms(); 2],
            count_success: window.count_success,
            errors: window.errors,
            percentiles: window.percentiles,
            network: window.network.clone(),
            tags: window.tags.clone(),
            judged,
        }
    }
}

/// What each of a pair's windows comes to, oldest first.
pub(crate) fn judged(windows: &[WindowRow], rules: &Rules) -> Vec<Judged> {
    match rules.diagnosis.usual.figure {
        Figure::P95 => classic::judged(windows, rules),
        Figure::Samples => steady::judged(windows, rules),
    }
}

/// What the pair's next window would be compared with, if it starts then.
pub(crate) fn usual_before(start: WindowStart, windows: &[WindowRow], rules: &Rules) -> Usual {
    match rules.diagnosis.usual.figure {
        Figure::P95 => classic::usual_before(start, windows),
        Figure::Samples => steady::usual_before(start, windows, rules),
    }
}

fn percentiles(mut samples: Vec<u64>) -> Option<Percentiles> {
    samples.sort_unstable();
    let at = |q: f64| samples[((q * samples.len() as f64).ceil() as usize).max(1) - 1];
    (!samples.is_empty()).then(|| Percentiles { p50: at(0.5), p95: at(0.95) })
}
