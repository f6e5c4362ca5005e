//! A log of a given size, with faults and with all that goes wrong on the way to a log.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use netqoe_model::ErrorStage;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Builder;

use crate::line::{EventText, Timings};
use crate::noise::around;
use crate::{FaultKind, Line};

pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const ISPS: [&str; 4] = ["isp-a", "isp-b", "isp-c", "isp-d"];
pub(crate) const NETWORK_TYPES: [&str; 3] = ["wifi", "ethernet", "cellular"];

/// From measuring to ingest, in milliseconds: less than this ...
pub(crate) const MAX_DELAY_MS: i64 = 20_000;
/// ... and, for this share of the events, as much more as makes them late beyond doubt.
pub(crate) const LATE_SHARE: f64 = 0.002;
pub(crate) const LATE_MS: i64 = 200_000;
/// Share of the events that are sent twice, the copy this much later.
pub(crate) const DUPLICATE_SHARE: f64 = 0.01;
pub(crate) const DUPLICATE_MS: i64 = 700;
/// Share of the measurements that a malformed line follows.
const MALFORMED_SHARE: f64 = 0.001;
/// Not JSON, another version, no object, no client.
const MALFORMED: [&str; 4] = [
    r#"{"event_id":"#,
    r#"{"schema_version":9,"event_id":"x","client_id":"c","ts_ms":1,"target":"t","timing_measurements":{}}"#,
    "[1,2]",
    r#"{"event_id":"x","client_id":"","ts_ms":5,"target":"t","timing_measurements":{}}"#,
];
/// Share of the measurements that fail, without and with [`FaultKind::Error`].
pub(crate) const USUAL_FAILURE_SHARE: f64 = 0.01;
const FAULT_FAILURE_SHARE: f64 = 0.8;

/// What log to write. Every client measures every target.
///
/// From two thirds of the time on, targets have faults: by their number modulo 6 none, then each kind in the order of
/// [`FaultKind::ALL`]. Unless `clean`, 1 % of the events come twice, 0.2 % too late to count, and one line in a
/// thousand is malformed. Events reach the log up to 20 s after they were measured.
///
/// The same scenario gives the same bytes, whatever machine and run; another release may give others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Which of the many logs of this kind.
    pub seed: u64,
    /// How many clients measure.
    pub clients: u32,
    /// How many targets each of them measures.
    pub targets: u32,
    /// For how many minutes.
    pub minutes: u32,
    /// Measurements per client, target and minute.
    pub per_minute: u32,
    /// When the first minute starts, in Unix milliseconds.
    pub start_ms: i64,
    /// No malformed, duplicate or late lines.
    pub clean: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Self { seed: 1, clients: 50, targets: 6, minutes: 30, per_minute: 2, start_ms: 1_700_000_040_000, clean: false }
    }
}

impl Scenario {
    /// The log's lines, ordered by [`Line::recv_ms`]. Events carry it as `recv_ts_ms`.
    pub fn lines(&self) -> Lines {
        Lines::new(self.clone())
    }

    /// Writes the whole log as NDJSON and answers with its number of lines. Give it a buffered writer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<u64> {
        let mut lines = 0;
        for line in self.lines() {
            out.write_all(line.text.as_bytes())?;
            out.write_all(b"\n")?;
            lines += 1;
        }
        Ok(lines)
    }

    fn minute_start_ms(&self, minute: u32) -> i64 {
        self.start_ms + i64::from(minute) * MINUTE_MS
    }

    /// The fault of a target, numbered from 0, at a time.
    fn fault(&self, target: usize, ts_ms: i64) -> Option<FaultKind> {
        let faults_from_ms = self.start_ms + i64::from(self.minutes) * MINUTE_MS * 2 / 3;
        let kind = (target % (FaultKind::ALL.len() + 1)).checked_sub(1)?;
        (ts_ms >= faults_from_ms).then_some(FaultKind::ALL[kind])
    }
}

#[derive(Debug)]
struct Client {
    id: String,
    isp: &'static str,
    /// How many times slower than the usual its own network is.
    slowness: f64,
}

#[derive(Debug)]
struct Target {
    url: String,
    /// How many times further than the usual it is away.
    distance: f64,
}

/// The lines of a [`Scenario`], made a minute at a time: memory holds those of about four minutes.
#[derive(Debug)]
pub struct Lines {
    scenario: Scenario,
    rng: StdRng,
    clients: Vec<Client>,
    targets: Vec<Target>,
    next_minute: u32,
    made: u64,
    /// What is made and not yet written, by time of receipt and then in the order in which it was made.
    pending: BinaryHeap<Reverse<(i64, u64, String)>>,
}

impl Lines {
    fn new(scenario: Scenario) -> Self {
        let mut rng = StdRng::seed_from_u64(scenario.seed);
        let clients = (0..scenario.clients)
            .map(|i| Client {
                id: format!("probe-{i:05}"),
                isp: ISPS[i as usize % ISPS.len()],
                slowness: rng.random_range(0.6..2.0),
            })
            .collect();
        let targets = (0..scenario.targets)
            .map(|j| Target { url: format!("https://t-{j:03}.example.com/"), distance: rng.random_range(0.5..2.0) })
            .collect();
        Self { scenario, rng, clients, targets, next_minute: 0, made: 0, pending: BinaryHeap::new() }
    }

    fn make_minute(&mut self) {
        let start_ms = self.scenario.minute_start_ms(self.next_minute);
        self.next_minute += 1;
        for client in 0..self.clients.len() {
            for target in 0..self.targets.len() {
                for _ in 0..self.scenario.per_minute {
                    let ts_ms = start_ms + self.rng.random_range(0..MINUTE_MS);
                    self.measure(client, target, ts_ms);
                }
            }
        }
    }

    /// One measurement, with its copy and the malformed line after it where there are such.
    fn measure(&mut self, client: usize, target: usize, ts_ms: i64) {
        let dirty = !self.scenario.clean;
        let Self { rng, made, pending, .. } = self;
        let mut push = |recv_ms: i64, text: String| {
            pending.push(Reverse((recv_ms, *made, text)));
            *made += 1;
        };
        let fault = self.scenario.fault(target, ts_ms);
        let (client, target) = (&self.clients[client], &self.targets[target]);
        let mut event = event(rng, client, target, ts_ms, fault);

        let mut delay_ms = rng.random_range(0..MAX_DELAY_MS);
        if dirty && rng.random_bool(LATE_SHARE) {
            delay_ms += LATE_MS;
        }
        let copies = if dirty && rng.random_bool(DUPLICATE_SHARE) { 2 } else { 1 };
        for copy in 0..copies {
            let recv_ms = ts_ms + delay_ms + copy * DUPLICATE_MS;
            event.recv_ts_ms = Some(recv_ms);
            push(recv_ms, event.to_string());
        }
        if dirty && rng.random_bool(MALFORMED_SHARE) {
            push(ts_ms + delay_ms, MALFORMED[rng.random_range(0..MALFORMED.len())].to_owned());
        }
    }
}

fn event<'a>(
    rng: &mut StdRng,
    client: &'a Client,
    target: &'a Target,
    ts_ms: i64,
    fault: Option<FaultKind>,
) -> EventText<'a> {
    let mut timings = Timings {
        dns_ms: around(rng, 12.0 * client.slowness, 0.1),
        tcp_ms: around(rng, 20.0 * target.distance, 0.08),
        tls_ms: around(rng, 35.0 * target.distance, 0.08),
        ttfb_ms: around(rng, 90.0 * target.distance, 0.08),
        throughput_mbps: around(rng, 80.0 / client.slowness, 0.1),
    };
    if let Some(kind) = fault {
        kind.worsen(&mut timings);
    }
    let failure_share = if fault == Some(FaultKind::Error) { FAULT_FAILURE_SHARE } else { USUAL_FAILURE_SHARE };
    let error_stage =
        rng.random_bool(failure_share).then(|| ErrorStage::ALL[rng.random_range(0..ErrorStage::ALL.len())]);
    EventText {
        event_id: Builder::from_random_bytes(rng.random()).into_uuid(),
        client_id: &client.id,
        ts_ms,
        target: &target.url,
        source_host: rng.random_range(0..250),
        network_type: NETWORK_TYPES[rng.random_range(0..NETWORK_TYPES.len())],
        isp: client.isp,
        timings,
        error_stage,
        recv_ts_ms: None,
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        // Nothing that is yet to be made is received before its minute starts.
        while self.next_minute < self.scenario.minutes
            && self
                .pending
                .peek()
                .is_none_or(|Reverse((recv_ms, ..))| *recv_ms >= self.scenario.minute_start_ms(self.next_minute))
        {
            self.make_minute();
        }
        self.pending.pop().map(|Reverse((recv_ms, _, text))| Line { recv_ms, text })
    }
}
