//! What a scenario promises, read back from its lines.

use std::collections::{HashMap, HashSet};

use netqoe_model::{Event, Metric};
use netqoe_simulator::{FaultKind, Line, Scenario};

/// Large enough for the rarest share (1 in 1000) to be near its rate: 36,000 measurements.
fn large() -> Scenario {
    Scenario { seed: 42, clients: 20, minutes: 30, per_minute: 10, ..Scenario::default() }
}

fn parsed(lines: &[Line]) -> Vec<Event<'_>> {
    lines.iter().filter_map(|line| Event::parse(line.text.as_bytes()).ok()).collect()
}

fn delay_ms(event: &Event<'_>) -> Option<i64> {
    Some(event.recv?.ms() - event.ts.ms())
}

/// Whether a count out of `n` is within four standard deviations of what its share makes likely.
#[track_caller]
fn assert_share(count: usize, n: usize, share: f64) {
    let expected = n as f64 * share;
    assert!((count as f64 - expected).abs() < 4.0 * expected.sqrt(), "{count}, expected about {expected}");
}

#[test]
fn a_seed_decides_every_byte() {
    let scenario = Scenario { clients: 3, minutes: 6, ..Scenario::default() };
    let written = |scenario: &Scenario| {
        let mut out = Vec::new();
        let lines = scenario.write_to(&mut out).unwrap();
        assert_eq!(lines as usize, out.split_inclusive(|byte| *byte == b'\n').count());
        out
    };
    assert_eq!(written(&scenario), written(&scenario));
    assert_ne!(written(&scenario), written(&Scenario { seed: 2, ..scenario.clone() }));
    assert_eq!(written(&Scenario { minutes: 0, ..scenario }), b"");
}

#[test]
fn lines_are_in_log_order() {
    let lines: Vec<Line> = large().lines().collect();
    assert!(lines.is_sorted_by_key(|line| line.recv_ms));
    for line in &lines {
        if let Ok(event) = Event::parse(line.text.as_bytes()) {
            assert_eq!(event.recv.unwrap().ms(), line.recv_ms);
        }
    }
}

#[test]
fn what_goes_wrong_has_its_share() {
    let lines: Vec<Line> = large().lines().collect();
    let events = parsed(&lines);
    let measured: HashSet<&str> = events.iter().map(|event| event.event_id.as_ref()).collect();
    let n = measured.len();
    assert_eq!(n, 20 * 6 * 30 * 10);
    assert_share(events.len() - n, n, 0.01);
    assert_share(lines.len() - events.len(), n, 0.001);
    assert_share(events.iter().filter(|event| delay_ms(event) >= Some(200_000)).count(), n, 0.002);
    assert!(events.iter().all(|event| matches!(delay_ms(event), Some(0..20_700 | 200_000..220_700))));
}

#[test]
fn a_clean_log_holds_measurements_only() {
    let scenario = Scenario { clean: true, ..large() };
    let lines: Vec<Line> = scenario.lines().collect();
    let events = parsed(&lines);
    let distinct: HashSet<&str> = events.iter().map(|event| event.event_id.as_ref()).collect();
    assert_eq!((lines.len(), events.len(), distinct.len()), (36_000, 36_000, 36_000));
    assert!(events.iter().all(|event| matches!(delay_ms(event), Some(0..20_000))));
}

/// The mean of each metric, and the share of failures, before and within the last third.
#[test]
fn targets_have_their_faults_from_two_thirds_on() {
    let scenario = large();
    let faults_from_ms = scenario.start_ms + 20 * 60_000;
    let lines: Vec<Line> = scenario.lines().collect();
    let mut means: HashMap<(String, bool), ([f64; 6], f64)> = HashMap::new();
    for event in parsed(&lines) {
        let (sums, n) = means.entry((event.target.to_string(), event.ts.ms() >= faults_from_ms)).or_default();
        *n += 1.0;
        for metric in Metric::ALL {
            sums[metric as usize] += event.samples[metric as usize].unwrap() as f64;
        }
        sums[5] += if event.error_stage.is_some() { 1.0 } else { 0.0 };
    }
    let change = |target: usize, what: usize| {
        let mean = |faulty| {
            let (sums, n) = means[&(format!("https://t-{target:03}.example.com/"), faulty)];
            sums[what] / n
        };
        mean(true) / mean(false)
    };
    for what in 0..6 {
        let healthy = change(0, what);
        assert!((0.5..2.0).contains(&healthy), "{what}: {healthy}");
    }
    for (kind, what, factor) in [
        (FaultKind::Dns, Metric::Dns as usize, 30.0),
        (FaultKind::Handshake, Metric::Tcp as usize, 3.0),
        (FaultKind::Handshake, Metric::Tls as usize, 3.0),
        (FaultKind::Server, Metric::Ttfb as usize, 4.0),
        (FaultKind::Throughput, Metric::Throughput as usize, 0.3),
        (FaultKind::Error, 5, 80.0),
    ] {
        let target = 1 + FaultKind::ALL.iter().position(|other| *other == kind).unwrap();
        let ratio = change(target, what) / factor;
        assert!((0.7..1.4).contains(&ratio), "{kind:?}: {ratio} of the expected change");
    }
}
