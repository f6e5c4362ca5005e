//! What the simulator promises: the same from the same seed, and measurements that show what its truth says.

use std::collections::{BTreeMap, BTreeSet};

use netqoe_model::{ErrorStage, Label, Metric};
use netqoe_simulator::simulation::{
    Access, Cause, Configuration, Expectation, Measurement, Pair, Shape, Simulation, Strength, Stretch, Tails,
};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A small fleet.
fn configuration(seed: u64) -> Configuration {
    Configuration { seed, clients: 12, targets: 5, ..Configuration::default() }
}

fn clean(seed: u64) -> Configuration {
    Configuration { faults_an_hour: 0.0, ..configuration(seed) }
}

fn measured(simulation: &Simulation, pair: Pair) -> Vec<Measurement> {
    simulation.measurements(pair).collect()
}

/// Of those in which it did not fail, the mean of a metric's logarithm.
fn mean_log<'a>(measurements: impl Iterator<Item = &'a Measurement>, metric: Metric) -> Option<f64> {
    let logs: Vec<_> = measurements.filter_map(|measurement| measurement.samples[metric as usize]).collect();
    let sum: f64 = logs.iter().map(|&sample| (sample as f64).ln()).sum();
    (!logs.is_empty()).then(|| sum / logs.len() as f64)
}

#[test]
fn a_seed_decides_everything() {
    let (one, again, other) =
        (Simulation::new(configuration(3)), Simulation::new(configuration(3)), Simulation::new(configuration(4)));
    assert_eq!(one.faults(), again.faults());
    assert_ne!(one.faults(), other.faults());
    let pairs: Vec<_> = one.fleet().pairs().collect();
    // In any order.
    for &pair in pairs.iter().rev().step_by(7) {
        let measurements = measured(&one, pair);
        assert_eq!(measurements, measured(&again, pair));
        assert_ne!(measurements, measured(&other, pair));
        assert!(measurements.is_sorted_by_key(|measurement| measurement.ts_ms));
    }
    assert_ne!(measured(&one, pairs[0]), measured(&one, pairs[1]));
}

#[test]
fn each_pair_measures_as_often_as_asked() {
    for per_minute in [1, 2, 6, 12] {
        let simulation = Simulation::new(Configuration { per_minute, hours: 6, ..clean(1) });
        let expected = 6 * 60 * per_minute as usize;
        let counts = simulation.fleet().pairs().map(|pair| simulation.measurements(pair).count());
        let counts: Vec<_> = counts.collect();
        assert!(counts.iter().all(|&count| count <= expected && count * 10 > expected * 8), "{counts:?}");
        let run = simulation.run();
        assert_eq!((run.from_ms % MINUTE_MS, run.to_ms - run.from_ms), (0, 6 * HOUR_MS));
        let pair = Pair { client: 0, target: 0 };
        assert!(simulation.measurements(pair).all(|measurement| run.holds(measurement.ts_ms)));
    }
}

#[test]
fn every_kind_of_fault_comes_within_its_bounds() {
    let (mut causes, mut shapes, mut mild, mut steady) = (BTreeSet::new(), BTreeSet::new(), 0, 0);
    let mut overlapping = 0;
    for seed in 0..30 {
        let configuration = configuration(seed);
        let simulation = Simulation::new(configuration.clone());
        assert_eq!(simulation.faults().len(), 24);
        for fault in simulation.faults() {
            causes.insert(fault.cause);
            shapes.insert(fault.shape);
            let whole = fault.whole();
            assert!(whole.from_ms >= simulation.run().from_ms + 40 * MINUTE_MS, "it comes before a usual is known");
            // A flapping fault may end with a time in which it is gone.
            let shortest_ms =
                if fault.shape == Shape::Flapping { 15 * MINUTE_MS } else { configuration.shortest_fault_ms };
            let lengths = shortest_ms..=configuration.longest_fault_ms;
            assert!(lengths.contains(&whole.length_ms()), "{fault:?}");
            match fault.shape {
                Shape::Flapping => {
                    assert!(fault.present.len() > 1);
                    let gone = fault.present.windows(2).map(|two| two[1].from_ms - two[0].to_ms);
                    assert!(gone.into_iter().all(|gone_ms| (120_000..=300_000).contains(&gone_ms)), "{fault:?}");
                }
                Shape::Ramping => assert!(whole.length_ms() >= 75 * MINUTE_MS),
                Shape::Steady => assert_eq!(fault.present, [whole]),
            }
            match fault.cause {
                Cause::TargetFailing => assert!((0.6..=1.0).contains(&fault.factor)),
                Cause::Certificate => assert_eq!(fault.factor, 1.0),
                Cause::ProviderResolver => assert!((4.0..=101.0).contains(&fault.factor)),
                _ => {
                    assert!((1.6..=10.0).contains(&fault.factor), "{fault:?}");
                    steady += 1;
                    mild += i32::from(fault.factor < 2.0);
                }
            }
        }
        let faults = simulation.faults();
        overlapping += faults.windows(2).filter(|two| two[0].whole().touches(two[1].whole())).count();
    }
    assert_eq!(causes.into_iter().collect::<Vec<_>>(), Cause::ALL);
    assert_eq!(shapes.into_iter().collect::<Vec<_>>(), Shape::ALL);
    assert!((0.25..0.42).contains(&(f64::from(mild) / f64::from(steady))), "{mild} of {steady}");
    assert!(overlapping > 100, "{overlapping}");
}

#[test]
fn faults_last_as_long_as_asked() {
    let day =
        Configuration { shortest_fault_ms: 6 * HOUR_MS, longest_fault_ms: 24 * HOUR_MS, hours: 72, ..configuration(5) };
    let simulation = Simulation::new(day);
    assert!(simulation.faults().iter().all(|fault| fault.whole().length_ms() > 5 * HOUR_MS));
    assert!(simulation.faults().iter().any(|fault| fault.whole().length_ms() > 15 * HOUR_MS));
}

#[test]
fn a_clean_run_has_no_faults() {
    let simulation = Simulation::new(clean(1));
    assert!(simulation.faults().is_empty());
    for pair in simulation.fleet().pairs() {
        assert_eq!(simulation.truth(pair).during(simulation.run()), Expectation::default());
    }
}

/// All minutes of all pairs of some runs, with what may be said of them.
fn for_each_minute(simulation: &Simulation, mut each: impl FnMut(Pair, Stretch, &Expectation<'_>)) {
    for pair in simulation.fleet().pairs() {
        let truth = simulation.truth(pair);
        let run = simulation.run();
        for from_ms in (run.from_ms..run.to_ms).step_by(MINUTE_MS as usize) {
            let minute = Stretch { from_ms, to_ms: from_ms + MINUTE_MS };
            each(pair, minute, &truth.during(minute));
        }
    }
}

#[test]
fn each_cause_has_its_labels() {
    let mut seen: BTreeMap<Cause, BTreeSet<Label>> = BTreeMap::new();
    for seed in 0..12 {
        let simulation = Simulation::new(configuration(seed));
        for_each_minute(&simulation, |_, _, expectation| {
            let Some(fault) = expectation.fault else { return };
            let labels = Label::ALL.into_iter().filter(|label| expectation.is_right(*label));
            seen.entry(fault.cause).or_default().extend(labels);
            assert!(!expectation.is_right(Label::Healthy));
            assert!(Label::ALL.iter().all(|label| !expectation.is_right(*label) || expectation.is_possible(*label)));
        });
    }
    for (cause, labels) in seen {
        let expected: &[Label] = match cause {
            Cause::ClientUplink | Cause::SiteWifi | Cause::ProviderCongestion => {
                &[Label::HandshakeBound, Label::ThroughputBound]
            }
            Cause::HostingNetwork | Cause::ProviderToTarget | Cause::Everything => &[Label::HandshakeBound],
            Cause::ProviderResolver => &[Label::DnsBound],
            Cause::Shaping => &[Label::ThroughputBound],
            Cause::TargetSlow => &[Label::ServerBound],
            Cause::TargetFailing | Cause::Certificate => &[Label::ErrorBound],
        };
        assert_eq!(labels.into_iter().collect::<Vec<_>>(), expected, "{cause:?}");
    }
}

/// How far apart a pair's measurements are from those of the same run without faults, by phase, in minutes with the same
/// labels.
#[derive(Default)]
struct Compared {
    /// Sums of logarithms with and without faults, and how many.
    with: [(f64, f64); 5],
    without: [(f64, f64); 5],
    failed: f64,
    all: f64,
}

impl Compared {
    /// How many times greater the geometric mean is.
    fn ratio(&self, metric: Metric) -> f64 {
        let mean = |(sum, count): (f64, f64)| sum / count;
        (mean(self.with[metric as usize]) - mean(self.without[metric as usize])).exp()
    }
}

fn add_logs(sums: &mut [(f64, f64); 5], measurements: &[&Measurement]) {
    for metric in Metric::ALL {
        if let Some(mean) = mean_log(measurements.iter().copied(), metric) {
            sums[metric as usize].0 += mean;
            sums[metric as usize].1 += 1.0;
        }
    }
}

/// Minutes of several runs by what may be said of them: all right labels with their strengths.
fn compared() -> BTreeMap<(Vec<Label>, Option<Strength>), Compared> {
    let mut all: BTreeMap<_, Compared> = BTreeMap::new();
    for seed in 0..20 {
        let (with, without) = (Simulation::new(configuration(seed)), Simulation::new(clean(seed)));
        for pair in with.fleet().pairs().step_by(5) {
            let truth = with.truth(pair);
            let by_minute = |simulation: &Simulation| {
                let mut minutes: BTreeMap<i64, Vec<Measurement>> = BTreeMap::new();
                for measurement in simulation.measurements(pair) {
                    minutes.entry(measurement.ts_ms.div_euclid(MINUTE_MS)).or_default().push(measurement);
                }
                minutes
            };
            let usual = by_minute(&without);
            for (minute, measurements) in by_minute(&with) {
                let expectation =
                    truth.during(Stretch { from_ms: minute * MINUTE_MS, to_ms: (minute + 1) * MINUTE_MS });
                let right: Vec<_> = Label::ALL.into_iter().filter(|label| expectation.is_right(*label)).collect();
                // Here each label speaks of its phase alone.
                if expectation.touched && (right.is_empty() || expectation.fault.is_none()) {
                    continue;
                }
                let compared = all.entry((right, expectation.strength())).or_default();
                compared.failed += measurements.iter().filter(|it| it.error_stage.is_some()).count() as f64;
                compared.all += measurements.len() as f64;
                add_logs(&mut compared.with, &measurements.iter().collect::<Vec<_>>());
                add_logs(&mut compared.without, &usual.get(&minute).into_iter().flatten().collect::<Vec<_>>());
            }
        }
    }
    all
}

#[test]
fn measurements_show_what_the_truth_says() {
    let compared = compared();
    let mild = 1.55..2.05;
    let clear = 1.95..12.0;
    let same = 0.96..1.04;
    let get = |labels: &[Label], strength| &compared[&(labels.to_vec(), strength)];

    let healthy = get(&[], None);
    for metric in Metric::ALL {
        assert!(same.contains(&healthy.ratio(metric)), "{metric:?}: {}", healthy.ratio(metric));
    }
    let failed = healthy.failed / healthy.all;
    assert!((0.004..0.008).contains(&failed), "{failed}");

    for (strength, range) in [(Strength::Mild, &mild), (Strength::Clear, &clear)] {
        for labels in [&[Label::HandshakeBound][..], &[Label::HandshakeBound, Label::ThroughputBound]] {
            let path = get(labels, Some(strength));
            for metric in [Metric::Tcp, Metric::Tls] {
                assert!(range.contains(&path.ratio(metric)), "{labels:?} {metric:?}: {}", path.ratio(metric));
            }
            assert!(same.contains(&path.ratio(Metric::Dns)));
            let throughput = 1.0 / path.ratio(Metric::Throughput);
            assert!(if labels.len() == 1 { &same } else { range }.contains(&throughput), "{labels:?}: {throughput}");
        }
        for (label, metric) in [(Label::ServerBound, Metric::Ttfb), (Label::ThroughputBound, Metric::Throughput)] {
            let one = get(&[label], Some(strength));
            for other in Metric::ALL {
                let ratio = one.ratio(other);
                let ratio = if other == Metric::Throughput { 1.0 / ratio } else { ratio };
                assert!(if other == metric { range } else { &same }.contains(&ratio), "{label}, {other:?}: {ratio}");
            }
        }
        let dns = get(&[Label::DnsBound], Some(strength));
        assert!(dns.ratio(Metric::Dns) > 4.0, "{}", dns.ratio(Metric::Dns));
        assert!(same.contains(&dns.ratio(Metric::Tcp)));
    }
    let failing = get(&[Label::ErrorBound], Some(Strength::Failing));
    let failed = failing.failed / failing.all;
    assert!((0.75..0.98).contains(&failed), "{failed}");
}

#[test]
fn failures_have_their_stages() {
    let simulation = Simulation::new(Configuration { faults_an_hour: 3.0, ..configuration(2) });
    let mut seen = BTreeSet::new();
    for pair in simulation.fleet().pairs() {
        let measurements = measured(&simulation, pair);
        worst_stages(&simulation, pair, &measurements, &mut seen);
    }
    assert_eq!(seen, BTreeSet::from([(Cause::TargetFailing, ErrorStage::Http), (Cause::Certificate, ErrorStage::Tls)]));
}

/// The stage at which most fail in whole minutes of a failing fault.
fn worst_stages(
    simulation: &Simulation,
    pair: Pair,
    measurements: &[Measurement],
    seen: &mut BTreeSet<(Cause, ErrorStage)>,
) {
    let truth = simulation.truth(pair);
    for fault in simulation.faults().iter().filter(|fault| fault.scope.holds(simulation.fleet(), pair)) {
        if !matches!(fault.cause, Cause::TargetFailing | Cause::Certificate) {
            continue;
        }
        let alone = |measurement: &&Measurement| {
            let now = Stretch { from_ms: measurement.ts_ms, to_ms: measurement.ts_ms + 1 };
            truth.during(now).fault.is_some_and(|only| only == fault)
        };
        let mut counts = BTreeMap::new();
        for measurement in measurements.iter().filter(alone) {
            if let Some(stage) = measurement.error_stage {
                assert_eq!(measurement.samples, [None; 5]);
                *counts.entry(stage).or_insert(0) += 1;
            }
        }
        if let Some((stage, _)) = counts.into_iter().max_by_key(|(_, count)| *count) {
            seen.insert((fault.cause, stage));
        }
    }
}

#[test]
fn evenings_are_slower_by_at_most_two_fifths() {
    let (mut rises, mut falls) = (Vec::new(), Vec::new());
    for seed in 0..4 {
        let simulation = Simulation::new(clean(seed));
        // The run begins at noon.
        let at = |hour: i64| {
            let from_ms = simulation.run().from_ms + (hour - 12) * HOUR_MS;
            Stretch { from_ms, to_ms: from_ms + HOUR_MS }
        };
        for pair in simulation.fleet().pairs() {
            let measurements = measured(&simulation, pair);
            let mean = |during: Stretch, metric| {
                mean_log(measurements.iter().filter(|measurement| during.holds(measurement.ts_ms)), metric)
            };
            let ratio = |metric| Some((mean(at(20), metric)? - mean(at(33), metric)?).exp());
            rises.extend(ratio(Metric::Tcp));
            falls.extend(ratio(Metric::Throughput));
        }
    }
    let largest = rises.iter().copied().fold(0.0, f64::max);
    assert!((1.25..1.5).contains(&largest), "{largest}");
    assert!(rises.iter().all(|rise| *rise > 0.9), "{rises:?}");
    let deepest = falls.iter().copied().fold(1.0, f64::min);
    assert!((0.6..0.8).contains(&deepest), "{deepest}");
}

#[test]
fn access_decides_how_much_measurements_scatter() {
    let mut deviations: BTreeMap<(Access, Metric), Vec<f64>> = BTreeMap::new();
    for seed in 0..4 {
        let simulation = Simulation::new(Configuration { hours: 3, per_minute: 6, ..clean(seed) });
        for pair in simulation.fleet().pairs() {
            let measurements = measured(&simulation, pair);
            for metric in [Metric::Tcp, Metric::Throughput] {
                let mut logs: Vec<_> = measurements
                    .iter()
                    .filter_map(|it| it.samples[metric as usize])
                    .map(|it| (it as f64).ln())
                    .collect();
                logs.sort_by(f64::total_cmp);
                // Half of a normal distribution lies within 0.6745 σ; tails do not move that.
                let width = logs[logs.len() * 3 / 4] - logs[logs.len() / 4];
                let access = simulation.fleet().client(pair).access;
                deviations.entry((access, metric)).or_default().push(width / 2.0 / 0.6745);
            }
        }
    }
    let within = |access, metric, range: std::ops::Range<f64>| {
        let deviations = &deviations[&(access, metric)];
        let mean = deviations.iter().sum::<f64>() / deviations.len() as f64;
        assert!(range.contains(&mean), "{access:?}, {metric:?}: {mean}");
    };
    within(Access::Ethernet, Metric::Tcp, 0.04..0.08);
    within(Access::Wifi, Metric::Tcp, 0.09..0.13);
    within(Access::Cellular, Metric::Tcp, 0.14..0.19);
    within(Access::Cellular, Metric::Throughput, 0.27..0.34);
}

#[test]
fn some_measurements_are_far_off_and_some_more_where_each_metric_is_on_its_own() {
    let share = |tails| {
        let simulation = Simulation::new(Configuration { hours: 12, tails, noise: 0.1, ..clean(1) });
        let (mut far, mut all) = (0, 0);
        for pair in simulation.fleet().pairs() {
            let mut dns: Vec<_> =
                simulation.measurements(pair).filter_map(|it| it.samples[Metric::Dns as usize]).collect();
            dns.sort_unstable();
            let median = dns[dns.len() / 2] as f64;
            far += dns.iter().filter(|sample| **sample as f64 > 1.9 * median).count();
            all += dns.len();
        }
        far as f64 / all as f64
    };
    let (one, each) = (share(Tails::OneMetric), share(Tails::EachMetric));
    assert!((0.005..0.015).contains(&one), "{one}");
    assert!((0.015..0.03).contains(&each), "{each}");
}

#[test]
fn a_burst_raises_the_latencies_of_one_client() {
    let simulation = Simulation::new(Configuration { per_minute: 12, hours: 12, noise: 0.1, ..clean(1) });
    let mut bursts = 0;
    for client in 0..12 {
        // Of all targets, the shares of the usual round trip in each ten seconds.
        let mut by_time: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for target in 0..5 {
            let measurements = measured(&simulation, Pair { client, target });
            let mut tcp: Vec<_> = measurements.iter().filter_map(|it| it.samples[Metric::Tcp as usize]).collect();
            tcp.sort_unstable();
            let median = tcp[tcp.len() / 2] as f64;
            for measurement in &measurements {
                let ratio = measurement.samples[Metric::Tcp as usize].map(|it| it as f64 / median);
                by_time.entry(measurement.ts_ms / 10_000).or_default().extend(ratio);
            }
        }
        let slow = |ratios: &Vec<f64>| ratios.len() > 5 && ratios.iter().all(|ratio| *ratio > 1.4);
        let mut last = i64::MIN;
        for (&time, _) in by_time.iter().filter(|(_, ratios)| slow(ratios)) {
            bursts += i32::from(time > last.saturating_add(12));
            last = time;
        }
    }
    // Twelve clients, half a day, one in four hours on average.
    assert!((15..55).contains(&bursts), "{bursts}");
}

#[test]
fn gaps_and_late_arrivals_occur() {
    let (mut gaps, mut late, mut all) = (0, 0, 0);
    for seed in 0..3 {
        let simulation = Simulation::new(clean(seed));
        for pair in simulation.fleet().pairs() {
            let measurements = measured(&simulation, pair);
            gaps += measurements.windows(2).filter(|two| two[1].ts_ms - two[0].ts_ms > 90_000).count();
            for measurement in &measurements {
                let delay_ms = measurement.recv_ms - measurement.ts_ms;
                assert!((20..=2_000).contains(&delay_ms) || (2 * HOUR_MS..=6 * HOUR_MS).contains(&delay_ms));
                late += usize::from(delay_ms > HOUR_MS);
                all += 1;
            }
        }
    }
    let pairs = 3 * 60;
    assert!((pairs..6 * pairs).contains(&gaps), "{gaps}");
    assert!((all / 1000..all / 20).contains(&late), "{late} of {all}");
}
