//! A log whose events are each of a random pair, for measuring how much a row costs beside an event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use netqoe_model::ErrorStage;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Builder;

use crate::line::{EventText, Timings};
use crate::noise::around;
use crate::scenario::{
    DUPLICATE_MS, DUPLICATE_SHARE, ISPS, LATE_MS, LATE_SHARE, MAX_DELAY_MS, MINUTE_MS, NETWORK_TYPES,
    USUAL_FAILURE_SHARE,
};

/// Targets of a client. The last client has fewer where the pairs are no multiple of them.
const TARGETS: u32 = 10;
/// One pair in so many is busy, and this share of the events is of such pairs. So some rows have many samples, and their percentiles are not their
/// greatest ones.
const BUSY_PAIR_OF: u32 = 100;
const BUSY_SHARE: f64 = 0.05;
const START_MS: i64 = 1_700_000_040_000;

/// What log to write. Events are measured at even distances, each of a pair of client and target that is chosen at random; so the fewer events there are
/// for each pair and minute, the more of them have a row of their own.
///
/// A hundredth of the pairs has a twentieth of the events more than the others. Copies, lateness, failures and delays are as frequent as those of a [`Scenario`](crate::Scenario); no line is malformed. A copy differs from its event
/// in `recv_ts_ms` alone. The same values give the same bytes, whatever machine and run; another release may give others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomPairs {
    /// Which of the many logs of this kind.
    pub seed: u64,
    /// Measurements, not counting copies.
    pub events: u64,
    /// Pairs of client and target.
    pub pairs: u32,
    /// For how many minutes.
    pub minutes: u32,
}

/// What is made and not yet written, by time of receipt and then in the order in which it was made.
type Pending = BinaryHeap<Reverse<(i64, u64, String)>>;

impl RandomPairs {
    /// Writes the whole log as NDJSON, ordered by `recv_ts_ms`, and answers with its number of lines. Give it a buffered writer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<u64> {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mut pending = Pending::new();
        let mut lines = 0;
        let span_ms = i128::from(self.minutes) * i128::from(MINUTE_MS);
        for number in 0..self.events {
            let since_start_ms = i128::from(number) * span_ms / i128::from(self.events);
            let ts_ms = START_MS + since_start_ms as i64;
            // Nothing that is yet to be made is received before it is measured.
            lines += write_before(ts_ms, &mut pending, out)?;
            self.measure(&mut rng, number, ts_ms, &mut pending);
        }
        Ok(lines + write_before(i64::MAX, &mut pending, out)?)
    }

    /// One measurement, with its copy where there is one.
    fn measure(&self, rng: &mut StdRng, number: u64, ts_ms: i64, pending: &mut Pending) {
        let busy = rng.random_bool(BUSY_SHARE);
        let pair = rng.random_range(0..if busy { self.pairs.div_ceil(BUSY_PAIR_OF) } else { self.pairs });
        let (client, target) = (pair / TARGETS, pair % TARGETS);
        let late_ms = if rng.random_bool(LATE_SHARE) { LATE_MS } else { 0 };
        let delay_ms = rng.random_range(0..MAX_DELAY_MS) + late_ms;
        let mut event = EventText {
            event_id: Builder::from_random_bytes(rng.random()).into_uuid(),
            client_id: &format!("probe-{client:05}"),
            ts_ms,
            target: &format!("https://t-{target:03}.example.com/"),
            source_host: rng.random_range(0..250),
            network_type: NETWORK_TYPES[client as usize % NETWORK_TYPES.len()],
            isp: ISPS[client as usize % ISPS.len()],
            timings: Timings {
                dns_ms: around(rng, 15.0, 0.1),
                tcp_ms: around(rng, 25.0, 0.1),
                tls_ms: around(rng, 45.0, 0.1),
                ttfb_ms: around(rng, 120.0, 0.1),
                throughput_mbps: around(rng, 80.0, 0.1),
            },
            error_stage: rng
                .random_bool(USUAL_FAILURE_SHARE)
                .then(|| ErrorStage::ALL[rng.random_range(0..ErrorStage::ALL.len())]),
            recv_ts_ms: None,
        };
        let copies = if rng.random_bool(DUPLICATE_SHARE) { 2 } else { 1 };
        for copy in 0..copies {
            let recv_ms = ts_ms + delay_ms + copy * DUPLICATE_MS;
            event.recv_ts_ms = Some(recv_ms);
            pending.push(Reverse((recv_ms, number, event.to_string())));
        }
    }
}

/// Writes what is received before this time, and answers with the number of its lines.
fn write_before(time_ms: i64, pending: &mut Pending, out: &mut impl Write) -> io::Result<u64> {
    let mut lines = 0;
    while pending.peek().is_some_and(|Reverse((recv_ms, ..))| *recv_ms < time_ms) {
        let Some(Reverse((.., text))) = pending.pop() else { break };
        writeln!(out, "{text}")?;
        lines += 1;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use netqoe_model::Event;

    use super::*;

    fn log(random: RandomPairs) -> String {
        let mut log = Vec::new();
        let lines = random.write_to(&mut log).unwrap();
        let log = String::from_utf8(log).unwrap();
        assert_eq!(log.lines().count() as u64, lines);
        log
    }

    #[test]
    fn a_log_has_all_that_a_row_depends_on() {
        let random = RandomPairs { seed: 3, events: 20_000, pairs: 95, minutes: 5 };
        let log = log(random);
        let events: Vec<_> = log.lines().map(|line| Event::parse(line.as_bytes()).unwrap()).collect();
        let recv_ms: Vec<_> = events.iter().map(|event| event.recv.unwrap().ms()).collect();
        assert!(recv_ms.is_sorted());

        let mut copies = BTreeMap::new();
        for event in &events {
            *copies.entry(&*event.event_id).or_insert(0) += 1;
        }
        assert_eq!(copies.len(), 20_000);
        let duplicates = copies.values().filter(|count| **count == 2).count();
        assert!((100..400).contains(&duplicates), "{duplicates}");
        let late = events.iter().filter(|event| event.recv.unwrap().ms() - event.ts.ms() >= LATE_MS).count();
        assert!((10..150).contains(&late), "{late}");
        let stages: BTreeSet<_> = events.iter().filter_map(|event| event.error_stage).collect();
        assert_eq!(stages.len(), ErrorStage::ALL.len());
        let pairs: BTreeSet<_> = events.iter().map(|event| (&event.client_id, &event.target)).collect();
        assert_eq!(pairs.len(), 95);
        let of_busy =
            events.iter().filter(|event| event.client_id == "probe-00000" && event.target.contains("t-000")).count();
        assert!((1_000..1_500).contains(&of_busy), "{of_busy}");
        let minutes: BTreeSet<_> = events.iter().map(|event| event.ts.window(MINUTE_MS)).collect();
        assert_eq!(minutes.len(), 5);
        let bytes = log.len() / events.len();
        assert!((390..415).contains(&bytes), "{bytes} bytes an event");
    }

    #[test]
    fn a_seed_gives_one_log() {
        let of_seed = |seed| log(RandomPairs { seed, events: 200, pairs: 20, minutes: 2 });
        assert_eq!(of_seed(1), of_seed(1));
        assert_ne!(of_seed(1), of_seed(2));
    }
}
