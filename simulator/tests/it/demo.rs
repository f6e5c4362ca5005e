//! What the demo promises: one schedule however it is asked for, every kind of fault in its history, and nothing
//! measured that the schedule does not tell of.

use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

use netqoe_model::{ClientContext, Event, Metric};
use netqoe_simulator::{Demo, Fault, FaultKind, Line, Pair, Place};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// No whole minute.
const START_MS: i64 = 1_700_000_012_345;
const SEEDS: Range<u64> = 0..20;
/// In them no fault starts, and diagnoses learn what is usual.
const QUIET_MS: i64 = 12 * MINUTE_MS;

const CLIENTS: usize = 20;
const TARGETS: usize = 6;

/// The standard deviations of the logarithm of what is measured.
const SPREADS: RangeInclusive<f64> = 0.06..=0.1;

fn lines(demo: &Demo, from_ms: i64, to_ms: i64) -> Vec<Line> {
    demo.lines(from_ms, to_ms).collect()
}

fn faults(demo: &Demo, from_ms: i64, to_ms: i64) -> Vec<Fault> {
    demo.faults_in(from_ms, to_ms).collect()
}

fn faults_of_a_day(seed: u64) -> Vec<Fault> {
    faults(&Demo::new(seed, START_MS), START_MS, START_MS + DAY_MS)
}

/// Whether the fault touches anything in a stretch of time.
fn is_in(fault: &Fault, from_ms: i64, to_ms: i64) -> bool {
    fault.from_ms < to_ms && from_ms < fault.to_ms
}

fn minutes(fault: &Fault) -> i64 {
    (fault.to_ms - fault.from_ms) / MINUTE_MS
}

/// An event of the demo.
struct Measured {
    event_id: String,
    client_id: String,
    isp: String,
    network_type: String,
    target: String,
    ts_ms: i64,
    /// Thousandths.
    samples: [u64; Metric::ALL.len()],
    has_failed: bool,
}

impl Measured {
    fn read(line: &Line) -> Self {
        let event = Event::parse(line.text.as_bytes()).unwrap();
        assert!(event.ts.ms() < line.recv_ms && !event.has_recv, "{}", line.text);
        let context = ClientContext::parse(event.network_context.unwrap());
        Self {
            event_id: event.event_id.to_string(),
            client_id: event.client_id.to_string(),
            isp: context.isp.unwrap(),
            network_type: context.network_type.unwrap(),
            target: event.target.to_string(),
            ts_ms: event.ts.ms(),
            samples: event.samples.map(Option::unwrap),
            has_failed: event.error_stage.is_some(),
        }
    }

    fn pair(&self) -> Pair<'_> {
        Pair { client_id: &self.client_id, isp: &self.isp, network_type: &self.network_type, target: &self.target }
    }

    fn sample(&self, metric: Metric) -> f64 {
        self.samples[metric as usize] as f64
    }
}

fn measured(demo: &Demo, from_ms: i64, to_ms: i64) -> Vec<Measured> {
    demo.lines(from_ms, to_ms).map(|line| Measured::read(&line)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn stretches_give_what_the_whole_gives(mut cuts in prop::collection::vec(57 * MINUTE_MS..63 * MINUTE_MS, 2..6)) {
        let demo = Demo::new(1, START_MS);
        cuts.iter_mut().for_each(|cut| *cut += START_MS);
        cuts.sort_unstable();
        let whole = lines(&demo, cuts[0], cuts[cuts.len() - 1]);
        let parts: Vec<Line> = cuts.windows(2).flat_map(|cut| lines(&demo, cut[0], cut[1])).collect();
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn a_stretch_has_the_faults_that_touch_it(seed in SEEDS, from_ms in -HOUR_MS..DAY_MS, length_ms in 1..3 * HOUR_MS) {
        let (from_ms, to_ms) = (START_MS + from_ms, START_MS + from_ms + length_ms);
        let demo = Demo::new(seed, START_MS);
        let mut touching = faults(&demo, START_MS, START_MS + DAY_MS + 4 * HOUR_MS);
        touching.retain(|fault| is_in(fault, from_ms, to_ms));
        prop_assert_eq!(faults(&demo, from_ms, to_ms), touching);
    }
}

#[test]
fn what_is_received_after_a_fault_shows_it_where_it_was_measured_within() {
    let demo = Demo::new(1, START_MS);
    for fault in faults_of_a_day(1) {
        let [from_ms, cut_ms, to_ms] = [-2_000, 200, 2_000].map(|after_ms| fault.to_ms + after_ms);
        let parts = [lines(&demo, from_ms, cut_ms), lines(&demo, cut_ms, to_ms)].concat();
        assert_eq!(lines(&demo, from_ms, to_ms), parts, "{fault:?}");
    }
}

#[test]
fn every_client_measures_every_target_every_ten_to_fifteen_seconds() {
    let (from_ms, to_ms) = (START_MS, START_MS + 30 * MINUTE_MS);
    let demo = Demo::new(1, START_MS);
    let lines = lines(&demo, from_ms, to_ms);
    assert!(lines.is_sorted_by_key(|line| line.recv_ms));
    assert!(lines.iter().all(|line| (from_ms..to_ms).contains(&line.recv_ms)));
    let mut times: HashMap<(String, String), Vec<i64>> = HashMap::new();
    let (mut ids, mut isps, mut networks) = (HashSet::new(), HashSet::new(), HashSet::new());
    for measured in lines.iter().map(Measured::read) {
        assert!(ids.insert(measured.event_id.clone()), "twice: {}", measured.event_id);
        isps.insert(measured.isp);
        networks.insert(measured.network_type);
        times.entry((measured.client_id, measured.target)).or_default().push(measured.ts_ms);
    }
    assert_eq!((times.len(), isps.len(), networks.len()), (CLIENTS * TARGETS, 4, 3));
    for times in times.values() {
        assert!(times.len() >= 30 * 60 / 15);
        assert!(times.windows(2).all(|pair| (9_000..=16_000).contains(&(pair[1] - pair[0]))), "{times:?}");
    }
}

/// Of each kind of fault there is one that lasts long enough for whatever the rules need of it.
#[test]
fn the_history_shows_every_kind_and_sort_of_place_after_twelve_quiet_minutes() {
    for seed in SEEDS {
        let demo = Demo::new(seed, START_MS);
        let end_ms = START_MS + Demo::HISTORY_MS;
        let faults = faults(&demo, START_MS, end_ms);
        assert!(faults[0].from_ms >= START_MS + QUIET_MS, "{:?}", faults[0]);
        for kind in FaultKind::ALL {
            let shown_ms = |fault: &Fault| fault.to_ms.min(end_ms) - fault.from_ms;
            let longest_ms = faults.iter().filter(|fault| fault.kind == kind).map(shown_ms).max().unwrap();
            assert!(longest_ms >= 6 * MINUTE_MS, "{kind:?}, seed {seed}: {longest_ms} ms");
        }
        let sorts: HashSet<_> = faults.iter().map(|fault| named_in(&fault.place)).collect();
        let [no, yes] = [false, true];
        for sort in [[no, no, no, yes], [no, yes, no, no], [yes, no, no, no], [no, yes, no, yes], [no, no, yes, no]] {
            assert!(sorts.contains(&sort), "{sort:?}, seed {seed}");
        }
        assert_eq!(sorts.len(), 5, "{sorts:?}");
    }
}

/// Whether a place names a client, a provider, a kind of access, a target.
fn named_in(place: &Place) -> [bool; 4] {
    [place.client_id, place.isp, place.network_type, place.target].map(|name| name.is_some())
}

#[test]
fn a_fault_is_going_on_when_the_history_ends() {
    for (seed, offset_ms) in SEEDS.flat_map(|seed| (0..50).map(move |step| (seed, step * 1_203))) {
        let start_ms = START_MS + offset_ms;
        let demo = Demo::new(seed, start_ms);
        let opens_ms = start_ms + Demo::HISTORY_MS;
        let now = faults(&demo, opens_ms, opens_ms + 1);
        let fits = |fault: &Fault| {
            let since_ms = opens_ms - fault.from_ms;
            (6 * MINUTE_MS..=12 * MINUTE_MS).contains(&since_ms) && fault.to_ms - opens_ms >= 4 * MINUTE_MS
        };
        assert!(now.iter().any(fits), "seed {seed}, {offset_ms} ms later: {now:?}");
    }
}

#[test]
fn faults_last_three_to_twenty_five_whole_minutes() {
    for seed in SEEDS {
        let faults = faults_of_a_day(seed);
        assert!(faults.is_sorted_by_key(|fault| fault.from_ms));
        for fault in &faults {
            assert!((3..=25).contains(&minutes(fault)) && fault.from_ms % MINUTE_MS == 0, "{fault:?}");
            assert_eq!(fault.to_ms - fault.from_ms, minutes(fault) * MINUTE_MS);
        }
        let lasts = |at_least| faults.iter().filter(|fault| minutes(fault) >= at_least).count() as f64;
        let share = |at_least| lasts(at_least) / lasts(0);
        assert!(share(6) < 0.85 && share(10) > 0.25 && share(15) > 0.05, "seed {seed}");
    }
}

#[test]
fn a_day_has_overlaps_and_quiet_but_no_pair_has_two_faults_at_a_time() {
    let mut longest = 0;
    for seed in SEEDS {
        let faults = faults_of_a_day(seed);
        longest = longest.max(faults.iter().map(minutes).max().unwrap());
        let pairs = pairs();
        let mut overlaps = 0;
        for (number, fault) in faults.iter().enumerate() {
            for other in faults[..number].iter().filter(|other| is_in(other, fault.from_ms, fault.to_ms)) {
                overlaps += 1;
                let has_both =
                    |pair: &Measured| fault.place.includes(&pair.pair()) && other.place.includes(&pair.pair());
                assert!(!pairs.iter().any(has_both), "{other:?} and {fault:?}");
            }
        }
        let is_quiet = |minute: &i64| {
            let ts_ms = START_MS + minute * MINUTE_MS;
            !faults.iter().any(|fault| is_in(fault, ts_ms, ts_ms + 1))
        };
        assert!(overlaps >= 12, "seed {seed}: {overlaps}");
        for hour in 0..24 {
            let quiet = (60 * hour + 12..60 * (hour + 1)).filter(is_quiet).count();
            assert!((5..30).contains(&quiet), "seed {seed}, hour {hour}: {quiet}");
        }
    }
    assert!(longest > 20, "{longest}");
}

#[test]
fn a_place_has_the_pairs_that_have_what_it_names() {
    let pairs = pairs();
    let count = |place: Place| pairs.iter().filter(|measured| place.includes(&measured.pair())).count();
    let everywhere = Place::default();
    assert_eq!(count(everywhere), CLIENTS * TARGETS);
    assert_eq!(count(Place { client_id: Some("demo-07"), ..everywhere }), TARGETS);
    assert_eq!(count(Place { isp: Some("Cablecore"), ..everywhere }), 5 * TARGETS);
    assert_eq!(count(Place { network_type: Some("cellular"), ..everywhere }), 6 * TARGETS);
    let target = Some("https://cdn.example.com/");
    assert_eq!(count(Place { target, ..everywhere }), CLIENTS);
    assert_eq!(count(Place { target, isp: Some("Cablecore"), ..everywhere }), 5);
}

/// A measurement of every pair.
fn pairs() -> Vec<Measured> {
    let mut pairs = HashMap::new();
    for measured in measured(&Demo::new(1, START_MS), START_MS, START_MS + MINUTE_MS) {
        pairs.insert((measured.client_id.clone(), measured.target.clone()), measured);
    }
    assert_eq!(pairs.len(), CLIENTS * TARGETS);
    pairs.into_values().collect()
}

/// Within a fault every measurement of its place is far from what it is without, and no other is.
#[test]
fn measurements_show_the_faults_and_nothing_else() {
    let demo = Demo::new(3, START_MS);
    let (from_ms, to_ms) = (START_MS, START_MS + 80 * MINUTE_MS);
    let faults = faults(&demo, from_ms, to_ms);
    let all = measured(&demo, from_ms, to_ms);
    let usual = usual_of(&all);
    let (mut failed, mut measured_in_error_fault) = (0, 0);
    for measured in &all {
        let fault = faults.iter().find(|fault| fault.touches(&measured.pair(), measured.ts_ms));
        for metric in Metric::ALL {
            let factor = match (fault.map(|fault| fault.kind), metric) {
                (Some(FaultKind::Dns), Metric::Dns) => 25.0..=40.0,
                (Some(FaultKind::Handshake), Metric::Tcp | Metric::Tls) => 2.5..=6.0,
                (Some(FaultKind::Server), Metric::Ttfb) => 3.0..=8.0,
                (Some(FaultKind::Throughput), Metric::Throughput) => 0.15..=0.4,
                _ => 1.0..=1.0,
            };
            let usual = usual[&(&*measured.client_id, &*measured.target)][metric as usize];
            let ratio = measured.sample(metric) / usual;
            // Five standard deviations to both sides.
            let spread = (5.0 * SPREADS.end()).exp();
            let range = factor.start() / spread..factor.end() * spread;
            assert!(range.contains(&ratio), "{metric:?}: {ratio} with {fault:?}");
            if let Some(fault) = fault.filter(|_| factor != (1.0..=1.0)) {
                assert!((fault.factor / spread..fault.factor * spread).contains(&ratio), "{ratio} with {fault:?}");
                assert!(factor.contains(&fault.factor), "{fault:?}");
            }
        }
        if fault.is_some_and(|fault| fault.kind == FaultKind::Error) {
            measured_in_error_fault += 1;
            failed += i32::from(measured.has_failed);
        }
    }
    assert!((0.85..0.95).contains(&(f64::from(failed) / f64::from(measured_in_error_fault))), "{failed}");
}

/// The median of each metric over the quiet minutes, of each client and target.
fn usual_of(all: &[Measured]) -> HashMap<(&str, &str), [f64; Metric::ALL.len()]> {
    let mut of_pairs: HashMap<(&str, &str), Vec<&Measured>> = HashMap::new();
    for measured in all.iter().filter(|measured| measured.ts_ms < START_MS + QUIET_MS) {
        of_pairs.entry((&measured.client_id, &measured.target)).or_default().push(measured);
    }
    let median = |of_pair: &[&Measured], metric| {
        let mut samples: Vec<f64> = of_pair.iter().map(|measured| measured.sample(metric)).collect();
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    of_pairs.into_iter().map(|(pair, of)| (pair, Metric::ALL.map(|metric| median(&of, metric)))).collect()
}

#[test]
fn quiet_minutes_scatter_and_fail_as_a_network_does() {
    let all = measured(&Demo::new(5, START_MS - HOUR_MS), START_MS - 2 * HOUR_MS, START_MS - HOUR_MS);
    let failed = all.iter().filter(|measured| measured.has_failed).count() as f64 / all.len() as f64;
    assert!((0.001..0.003).contains(&failed), "{failed}");
    let mut of_pairs: HashMap<_, Vec<&Measured>> = HashMap::new();
    for measured in &all {
        of_pairs.entry((&measured.client_id, &measured.target)).or_default().push(measured);
    }
    for (pair, of_pair) in of_pairs {
        for metric in Metric::ALL {
            let logs: Vec<f64> = of_pair.iter().map(|measured| measured.sample(metric).ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            let spread = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
            // Of 240 to 360 samples it is known to a fifth.
            assert!((0.8 * SPREADS.start()..1.25 * SPREADS.end()).contains(&spread), "{pair:?}: {spread}");
        }
    }
}

#[test]
fn what_fails_says_why() {
    let lines = lines(&Demo::new(1, START_MS), START_MS, START_MS + 30 * MINUTE_MS);
    let failed = |line: &Line| Event::parse(line.text.as_bytes()).unwrap().error_stage.is_some();
    assert!(lines.iter().any(failed));
    for line in lines {
        assert_eq!(line.text.contains(r#""evidence":{"error_message":""#), failed(&line), "{}", line.text);
    }
}
