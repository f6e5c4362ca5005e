//! What the demo promises: one schedule however it is asked for, and every kind of fault in half an hour.

use std::collections::{HashMap, HashSet};

use netqoe_benchmarks::{Demo, Fault, FaultKind, Line};
use netqoe_model::{Event, Metric};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
/// No whole minute.
const START_MS: i64 = 1_700_000_012_345;

fn lines(demo: &Demo, from_ms: i64, to_ms: i64) -> Vec<Line> {
    demo.lines(from_ms, to_ms).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn stretches_give_what_the_whole_gives(mut cuts in prop::collection::vec(7 * MINUTE_MS..13 * MINUTE_MS, 2..6)) {
        cuts.sort_unstable();
        let demo = Demo::new(1, START_MS);
        let cuts: Vec<i64> = cuts.into_iter().map(|cut| START_MS + cut).collect();
        let whole = lines(&demo, cuts[0], cuts[cuts.len() - 1]);
        let parts: Vec<Line> = cuts.windows(2).flat_map(|cut| lines(&demo, cut[0], cut[1])).collect();
        prop_assert_eq!(whole, parts);
    }
}

#[test]
fn every_client_measures_every_target_every_ten_to_fifteen_seconds() {
    let (from_ms, to_ms) = (START_MS, START_MS + 30 * MINUTE_MS);
    let lines = lines(&Demo::new(1, START_MS), from_ms, to_ms);
    assert!(lines.is_sorted_by_key(|line| line.recv_ms));
    let mut times: HashMap<(String, String), Vec<i64>> = HashMap::new();
    let (mut ids, mut isps, mut networks) = (HashSet::new(), HashSet::new(), HashSet::new());
    for line in &lines {
        let event = Event::parse(line.text.as_bytes()).unwrap();
        assert!((from_ms..to_ms).contains(&line.recv_ms));
        assert!(event.ts.ms() < line.recv_ms && !event.has_recv, "{}", line.text);
        assert!(ids.insert(event.event_id.to_string()), "twice: {}", line.text);
        let context = netqoe_model::ClientContext::parse(event.network_context.unwrap());
        isps.insert(context.isp);
        networks.insert(context.network_type);
        times.entry((event.client_id.to_string(), event.target.to_string())).or_default().push(event.ts.ms());
    }
    assert_eq!((times.len(), isps.len(), networks.len()), (20 * 6, 4, 3));
    for times in times.values() {
        assert!(times.len() >= 30 * 60 / 15);
        assert!(times.windows(2).all(|pair| (9_000..=16_000).contains(&(pair[1] - pair[0]))), "{times:?}");
    }
}

#[test]
fn half_an_hour_holds_every_kind_after_eight_quiet_minutes() {
    for offset_ms in [0, 1, 30_000, 59_999] {
        let start_ms = START_MS + offset_ms;
        let (demo, to_ms) = (Demo::new(1, start_ms), start_ms + 30 * MINUTE_MS);
        let whole: Vec<Fault> = demo.faults_in(start_ms, to_ms).filter(|fault| fault.to_ms <= to_ms).collect();
        assert_eq!(whole.iter().map(|fault| fault.kind).collect::<Vec<_>>(), FaultKind::ALL);
        assert!(whole[0].from_ms >= start_ms + 8 * MINUTE_MS);
        for fault in whole {
            assert_eq!((fault.to_ms - fault.from_ms, fault.from_ms % MINUTE_MS), (3 * MINUTE_MS, 0));
        }
    }
}

#[test]
fn the_rotation_goes_on_and_lets_baselines_recover() {
    let demo = Demo::new(1, START_MS);
    let faults: Vec<Fault> = demo.faults_in(START_MS, START_MS + 24 * 60 * MINUTE_MS).collect();
    assert!(faults.windows(2).all(|pair| pair[1].from_ms - pair[0].from_ms == 4 * MINUTE_MS));
    assert_eq!(faults.len(), (24 * 60 - 8) / 4);
    let mut last_end_ms: HashMap<&str, i64> = HashMap::new();
    for fault in &faults {
        if let Some(end_ms) = last_end_ms.insert(fault.target, fault.to_ms) {
            assert!(fault.from_ms - end_ms >= 13 * MINUTE_MS, "{fault:?}");
        }
    }
    assert_eq!(last_end_ms.len(), 6);
    let middle_ms = faults[7].from_ms + MINUTE_MS;
    assert!(demo.faults_in(middle_ms, middle_ms + 1).eq([faults[7].clone()]), "a fault that is under way counts");
    assert_eq!(demo.faults_in(faults[7].to_ms, faults[8].from_ms).count(), 0, "one that has ended does not");
}

/// Within a fault every measurement of its target is far from what it is without, and no other is.
#[test]
fn measurements_show_the_faults_and_nothing_else() {
    let demo = Demo::new(3, START_MS);
    let mut usual: HashMap<(String, String), [u64; 5]> = HashMap::new();
    let (mut failed, mut measured_in_error_fault) = (0, 0);
    for line in lines(&demo, START_MS, START_MS + 60 * MINUTE_MS) {
        let event = Event::parse(line.text.as_bytes()).unwrap();
        let samples = event.samples.map(Option::unwrap);
        let usual = usual.entry((event.client_id.to_string(), event.target.to_string())).or_insert(samples);
        let fault = demo.faults_in(event.ts.ms(), event.ts.ms() + 1).find(|fault| fault.target == event.target);
        let kind = fault.map(|fault| fault.kind);
        for metric in Metric::ALL {
            let factor = match (kind, metric) {
                (Some(FaultKind::Dns), Metric::Dns) => 30.0,
                (Some(FaultKind::Handshake), Metric::Tcp | Metric::Tls) => 3.0,
                (Some(FaultKind::Server), Metric::Ttfb) => 4.0,
                (Some(FaultKind::Throughput), Metric::Throughput) => 0.3,
                _ => 1.0,
            };
            let ratio = samples[metric as usize] as f64 / usual[metric as usize] as f64 / factor;
            assert!((0.8..1.25).contains(&ratio), "{metric:?}: {ratio} in {}", line.text);
        }
        if kind == Some(FaultKind::Error) {
            measured_in_error_fault += 1;
            failed += i32::from(event.error_stage.is_some());
        }
    }
    assert!((0.85..0.95).contains(&(f64::from(failed) / f64::from(measured_in_error_fault))), "{failed}");
}
