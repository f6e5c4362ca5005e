//! An endless even load, made as it is sent.

use netqoe_model::ErrorStage;
use uuid::Uuid;

use crate::FaultKind;
use crate::line::{EventText, Timings};

/// Targets of a client, where nothing else is said.
const TARGETS: u64 = 10;
const ISPS: [&str; 4] = ["isp-a", "isp-b", "isp-c", "isp-d"];
const NETWORK_TYPES: [&str; 3] = ["wifi", "ethernet", "cellular"];
/// One measurement in so many fails.
const FAILURE_EVERY: u64 = 101;
/// What is measured lies up to this share above its least value.
const SPREAD: f64 = 0.2;

/// Clients that measure the same targets, all equally often and in turn. Making an event is cheap, so that whoever sends
/// it does not take the time of whoever receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Two loads of the same run send the same events.
    pub run: u64,
    /// Client and target, in how many pairs; a multiple of the targets.
    pub pairs: u64,
    /// How many targets each client measures.
    pub targets: u64,
    /// What is wrong with the first target.
    pub fault: Option<FaultKind>,
    /// So many targets, from the first, of which every measurement fails.
    pub failing_targets: u64,
}

impl Load {
    /// A load of so many pairs, with ten targets, of which nothing is wrong.
    pub fn healthy(run: u64, pairs: u64) -> Self {
        Self { run, pairs, targets: TARGETS, fault: None, failing_targets: 0 }
    }

    /// The event of this number, measured at `ts_ms`, as its client sends it. Events whose numbers follow each other are
    /// of the same client, one for each target.
    pub fn event(&self, number: u64, ts_ms: i64) -> String {
        let pair = number % self.pairs;
        let (client, target) = (pair / self.targets, pair % self.targets);
        // Fibonacci hashing: the bits of its product are as good as random, and cost one multiplication.
        let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let above = |least: f64, shift: u32| {
            let share = f64::from((noise >> shift) as u8) / 256.0;
            (least * (1.0 + SPREAD * share) * 1000.0).round() / 1000.0
        };
        let mut timings = Timings {
            dns_ms: above(12.0, 24),
            tcp_ms: above(20.0, 32),
            tls_ms: above(35.0, 40),
            ttfb_ms: above(90.0, 48),
            throughput_mbps: above(80.0, 56),
        };
        if let (Some(fault), 0) = (self.fault, target) {
            fault.worsen(&mut timings);
        }
        let fails = target < self.failing_targets || number.is_multiple_of(FAILURE_EVERY);
        EventText {
            event_id: Uuid::from_u64_pair(self.run, number),
            client_id: &format!("bench-{client:05}"),
            ts_ms,
            target: &format!("https://t-{target:03}.example.com/"),
            source_host: (client % 250) as u8,
            network_type: NETWORK_TYPES[client as usize % NETWORK_TYPES.len()],
            isp: ISPS[client as usize % ISPS.len()],
            timings,
            error_stage: fails.then_some(ErrorStage::Http),
            recv_ts_ms: None,
        }
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use netqoe_model::Event;

    use super::*;

    #[test]
    fn every_event_is_valid_and_every_pair_has_its_turn() {
        let load = Load::healthy(7, 50);
        let texts: Vec<_> = (0..100).map(|number| load.event(number, 1_700_000_000_000)).collect();
        let events: Vec<_> = texts.iter().map(|text| Event::parse(text.as_bytes()).unwrap()).collect();
        let ids: BTreeSet<_> = events.iter().map(|event| event.event_id.to_string()).collect();
        assert_eq!(ids.len(), 100, "an id is used twice");
        let pairs: BTreeSet<_> =
            events.iter().map(|event| (event.client_id.to_string(), event.target.to_string())).collect();
        assert_eq!(pairs.len(), 50);
    }
}
