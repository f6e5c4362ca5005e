//! The course of faults, as a person would tell it. That every figure is right is the reference's to hold
//! (`tests/it/reference.rs`).

use netqoe_model::{LogTime, Percentiles};

use super::*;

const MINUTE_MS: i64 = 60_000;

/// One measurement: ms, Mbit/s.
#[derive(Clone, Copy)]
struct Sample {
    dns: f64,
    handshake: f64,
    ttfb: f64,
    throughput: f64,
    fails: bool,
}

const USUAL: Sample = Sample { dns: 12.0, handshake: 55.0, ttfb: 95.0, throughput: 90.0, fails: false };
const FAILED: Sample = Sample { fails: true, ..USUAL };

/// A window of these measurements. A little noise, the same in every run: minutes differ by up to 6 %.
fn row(minute: i64, samples: &[Sample]) -> WindowRow {
    let noise = 0.97 + 0.06 * ((minute * 37 % 11) as f64 / 10.0);
    let of = |figure: fn(&Sample) -> f64| {
        let succeeded = samples.iter().filter(|sample| !sample.fails);
        let mut values: Vec<u64> = succeeded.map(|sample| (figure(sample) * noise * 1000.0).round() as u64).collect();
        values.sort_unstable();
        let at = |q: f64| values[((q * values.len() as f64).ceil() as usize).max(1) - 1];
        (!values.is_empty()).then(|| Percentiles { p50: at(0.50), p95: at(0.95) })
    };
    let failed = samples.iter().filter(|sample| sample.fails).count() as u32;
    WindowRow {
        start: WindowStart::from_ms(minute * MINUTE_MS),
        is_final: true,
        as_of: LogTime::from_ms((minute + 3) * MINUTE_MS),
        count_success: samples.len() as u32 - failed,
        errors: [0, 0, 0, failed, 0],
        percentiles: [
            of(|s| s.dns),
            of(|s| s.handshake * 0.4),
            of(|s| s.handshake * 0.6),
            of(|s| s.ttfb),
            of(|s| s.throughput),
        ],
        network: None,
        tags: None,
    }
}

/// The pair's judgement of each minute's measurements.
fn course(rules: &Rules, minutes: impl IntoIterator<Item = (i64, Vec<Sample>)>) -> Vec<Judged> {
    let mut state = PairState::new(&rules.diagnosis);
    minutes.into_iter().map(|(minute, samples)| state.judge(&row(minute, &samples), rules)).collect()
}

fn label(judged: &Judged) -> &'static str {
    judged.diagnosis.as_ref().map_or("none", |diagnosis| diagnosis.label.as_str())
}

fn evidence(judged: &Judged) -> (netqoe_model::Severity, netqoe_model::Evidence) {
    *judged.diagnosis.clone().unwrap().finding.unwrap()
}

/// Two measurements a minute: usual ones until `from`, then `fault` until `to`, then usual ones again.
fn fault(fault: Sample, from: i64, to: i64, end: i64) -> impl Iterator<Item = (i64, Vec<Sample>)> {
    (0..end).map(move |minute| (minute, vec![if (from..to).contains(&minute) { fault } else { USUAL }; 2]))
}

#[test]
fn each_fault_is_named_for_as_long_as_it_lasts_and_not_longer() {
    let rules = Rules::default();
    for (name, sample) in [
        ("dns-bound", Sample { dns: 360.0, ..USUAL }),
        ("handshake-bound", Sample { handshake: 110.0, ..USUAL }),
        ("server-bound", Sample { ttfb: 190.0, ..USUAL }),
        ("throughput-bound", Sample { throughput: 45.0, ..USUAL }),
        ("error-bound", FAILED),
    ] {
        let judged = course(&rules, fault(sample, 30, 210, 280));
        for (minute, judged) in judged.iter().enumerate() {
            let expected = match minute {
                0..10 => "none",
                31..210 => name,
                // One minute on each side may be either.
                30 | 210 => continue,
                _ => "healthy",
            };
            assert_eq!(label(judged), expected, "minute {minute} of {name}");
        }
        let since = evidence(&judged[209]).1.since.ms() / MINUTE_MS;
        assert!((30..=31).contains(&since), "{name} since {since}");
        let ended: Vec<_> = judged.iter().flat_map(|judged| &judged.ended_runs).collect();
        assert_eq!(ended.len(), 1, "{name}");
        assert_eq!((ended[0].label.as_str(), ended[0].since.ms() / MINUTE_MS), (name, since));
        assert!((210..=211).contains(&(ended[0].until.ms() / MINUTE_MS)));
    }
}

#[test]
fn classic_forgets_a_fault_and_is_kept_to_compare_with() {
    let rules = Rules { diagnosis: DiagnosisRules::classic(), ..Rules::default() };
    let judged = course(&rules, fault(Sample { ttfb: 380.0, ..USUAL }, 30, 60, 60));
    let named: Vec<_> = (30..60).filter(|&minute| label(&judged[minute]) == "server-bound").collect();
    assert_eq!(named, [30, 31, 32], "as the issue of its successor says");
}

#[test]
fn one_slow_window_is_noise_and_one_good_measurement_ends_no_fault() {
    let rules = Rules::default();
    let slow = Sample { ttfb: 400.0, ..USUAL };
    let minutes = (0..60).map(|minute| match minute {
        20 | 25 => (minute, vec![slow; 2]),
        40..50 if minute % 3 == 0 => (minute, vec![slow, USUAL]),
        40..50 => (minute, vec![slow; 2]),
        _ => (minute, vec![USUAL; 2]),
    });
    let judged = course(&rules, minutes);
    let named: Vec<_> = (0..60).filter(|&minute| label(&judged[minute]) == "server-bound").collect();
    assert_eq!(named, (41..=50).collect::<Vec<_>>());
}

#[test]
fn a_longer_way_is_no_servers_fault() {
    let rules = Rules::default();
    // 70 ms more of a round trip: twice for the handshake, once for the first byte.
    let longer = Sample { handshake: USUAL.handshake + 140.0, ttfb: USUAL.ttfb + 70.0, ..USUAL };
    let judged = course(&rules, fault(longer, 30, 90, 150));
    assert!((31..90).all(|minute| label(&judged[minute]) == "handshake-bound"));
    assert!((92..150).all(|minute| label(&judged[minute]) == "healthy"));
}

#[test]
fn what_lasts_for_hours_becomes_the_new_normal_and_its_end_is_no_fault() {
    let rules = Rules::default();
    let slow = Sample { handshake: 110.0, throughput: 40.0, ..USUAL };
    let judged = course(&rules, fault(slow, 30, 30 + 12 * 60, 30 + 14 * 60));
    let named = |from: usize, to: usize| (from..to).filter(|&minute| label(&judged[minute]) != "healthy").count();
    assert_eq!(named(31, 31 + 6 * 60), 6 * 60, "named for six hours");
    assert_eq!(named(30 + 6 * 60 + 15, 30 + 12 * 60), 0, "then it is usual");
    assert_eq!(named(30 + 12 * 60, 30 + 14 * 60), 0, "an improvement is not a fault");
    // And soon after its end the same fault is one again.
    let again =
        fault(slow, 30, 30 + 8 * 60, 30 + 8 * 60 + 20).chain((0..10).map(|minute| (530 + minute, vec![slow; 2])));
    let judged = course(&rules, again);
    assert_eq!(label(&judged[531]), "handshake-bound");
}

#[test]
fn failures_of_more_than_half_are_named_and_a_single_one_is_not() {
    let rules = Rules::default();
    let minutes = (0..60).map(|minute| match minute {
        15 | 20 | 25 => (minute, vec![USUAL, FAILED]),
        30..50 => (minute, if minute % 4 == 0 { vec![FAILED, USUAL] } else { vec![FAILED, FAILED] }),
        _ => (minute, vec![USUAL; 2]),
    });
    let judged = course(&rules, minutes);
    let named: Vec<_> = (0..60).filter(|&minute| label(&judged[minute]) == "error-bound").collect();
    assert_eq!(named, (30..=50).collect::<Vec<_>>());
    let (severity, evidence) = evidence(&judged[35]);
    assert_eq!((severity, evidence.stage), (netqoe_model::Severity::Critical, "http"));
    assert_eq!((evidence.bad_samples, evidence.samples, evidence.windows), (4, 4, 2));
}

#[test]
fn an_evening_that_rises_by_two_fifths_is_no_fault() {
    let rules = Rules::default();
    let minutes = (0..24 * 60).map(|minute| {
        let evening = 1.0 + 0.2 * (1.0 - (minute as f64 / (24.0 * 60.0) * std::f64::consts::TAU).cos());
        let sample = Sample {
            handshake: USUAL.handshake * evening,
            ttfb: USUAL.ttfb * evening,
            throughput: USUAL.throughput / evening,
            ..USUAL
        };
        (minute, vec![sample; 2])
    });
    assert_eq!(course(&rules, minutes).iter().filter(|judged| !matches!(label(judged), "healthy" | "none")).count(), 0);
}
