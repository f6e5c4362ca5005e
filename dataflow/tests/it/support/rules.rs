//! Generated rules: the shipped ones with other values, small enough that short logs reach all that rules say.

use netqoe_model::{Centre, DiagnosisRules, EvidenceRules, PhaseRule, Rules, SeverityRules, Spread, UsualRules};
use proptest::prelude::*;
use proptest::sample::select;

/// Rules of windows of a minute.
pub(crate) fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![1 => Just(DiagnosisRules::classic()), 1 => Just(DiagnosisRules::default()), 6 => steady()]
        .prop_map(|diagnosis| Rules { diagnosis, ..Rules::default() })
}

/// The steady rules with other values.
pub(crate) fn steady() -> impl Strategy<Value = DiagnosisRules> {
    (usual(), evidence(), errors_and_phases(), severity()).prop_map(|(usual, evidence, phases, severity)| {
        let rules = DiagnosisRules { usual, evidence, severity, ..phases };
        DiagnosisRules::parse(&toml::to_string(&rules).unwrap()).unwrap()
    })
}

fn usual() -> impl Strategy<Value = UsualRules> {
    let spreads = select(vec![
        (Centre::Median, Spread::Quantile),
        (Centre::Median, Spread::Quantile),
        (Centre::Mean, Spread::Quantile),
        (Centre::Mean, Spread::Deviation),
    ]);
    let quantile = select(vec![0.6, 0.75, 0.9, 0.9, 1.0]);
    let floors = (select(vec![0.0, 0.0, 0.05]), select(vec![0.0, 0.0, 1.0, 30.0]));
    let windows = (prop_oneof![3 => 5..15_u16, 1 => 15..=60_u16], 1..=10_u16, 1..=4_u16);
    let better = (0..4_u16, select(vec![1.0, 1.1, 1.25, 2.0]));
    let hours = (select(vec![1, 1, 2, 24]), select(vec![1, 1, 1, 6]));
    let leave_out = prop::bool::weighted(0.9);
    (spreads, quantile, floors, windows, better, hours, leave_out).prop_map(
        |(spreads, quantile, floors, (windows, warm_up, every), (more, ratio), hours, leave_out)| {
            let mut usual = DiagnosisRules::default().usual;
            (usual.centre, usual.spread) = spreads;
            usual.spread_quantile = quantile;
            (usual.spread_floor_ratio, usual.spread_floor) = floors;
            (usual.windows, usual.every_windows) = (windows, every);
            usual.warm_up_windows = warm_up.min(windows);
            usual.better_windows = if more == 0 { 0 } else { (usual.warm_up_windows + more - 1).min(windows) };
            usual.better_ratio = ratio;
            (usual.reach_hours, usual.new_normal_after_hours) = hours;
            usual.leave_out_degraded = leave_out;
            usual
        },
    )
}

fn evidence() -> impl Strategy<Value = EvidenceRules> {
    let shares = select(vec![(0.7, 0.5), (0.7, 0.5), (0.5, 0.25), (1.0, 0.3), (0.6, 0.6), (0.1, 0.0)]);
    let within = select(vec![1, 2, 5, 15, 90]);
    let windows = (1..=3_u16).prop_flat_map(|windows| (Just(windows), windows..=3));
    let beyond = select(vec![0.0, 0.01, 0.5, 0.9, 0.97, 1.0]);
    let more_share = select(vec![0.0, 0.5, 0.8, 1.0]);
    (windows, within, 1..5_u32, shares, 0..4_u32, beyond, more_share, 0..=5_u16).prop_map(
        |((windows, more_windows), within, least, (share, keep), bridged, beyond, more_share, keep_after)| {
            let mut evidence = DiagnosisRules::default().evidence;
            (evidence.windows, evidence.within_minutes, evidence.least_samples) = (windows, within, least);
            (evidence.share, evidence.keep_share, evidence.bridged_windows) = (share, keep, bridged);
            evidence.beyond_quantile = beyond;
            (evidence.more_windows, evidence.more_share) = (more_windows, more_share);
            evidence.keep_after_windows = keep_after;
            evidence
        },
    )
}

fn errors_and_phases() -> impl Strategy<Value = DiagnosisRules> {
    let shares = select(vec![(0.5, 0.25), (0.5, 0.5), (0.75, 0.1), (0.3, 0.0)]);
    let ratios = (select(vec![1.0, 1.1, 1.3, 1.5]), select(vec![0.5, 0.72, 0.9, 1.0]));
    let beyond = select(vec![None, Some(1.0), Some(1.3), Some(2.0)]);
    let handshake = select(vec![None, None, Some(1.0)]);
    let spreads = select(vec![None, Some(0.5), Some(1.0), Some(2.0)]);
    let extra_ms = select(vec![None, Some(3.0), Some(20.0)]);
    (1..=3_u16, 1..4_u32, shares, ratios, (beyond, handshake), spreads, extra_ms).prop_map(
        |(windows, least, (share, keep), (slow, slow_transfer), (beyond, handshake), spreads, extra_ms)| {
            let mut rules = DiagnosisRules::default();
            let errors = &mut rules.error_bound;
            (errors.windows, errors.least_failures) = (windows, least);
            (errors.share, errors.keep_share) = (share, keep);
            let latencies: [&mut PhaseRule; 3] =
                [&mut rules.dns_bound, &mut rules.handshake_bound, &mut rules.server_bound];
            for condition in latencies.into_iter().flat_map(|rule| &mut rule.when) {
                (condition.ratio, condition.spreads, condition.extra_ms) = (Some(slow), spreads, extra_ms);
            }
            rules.throughput_bound.when[0].ratio = Some(slow_transfer);
            rules.throughput_bound.when[0].spreads = spreads;
            rules.server_bound.beyond_handshake = beyond;
            rules.server_bound.handshake_spreads = handshake;
            rules
        },
    )
}

fn severity() -> impl Strategy<Value = SeverityRules> {
    (select(vec![0.0, 20.0, 100.0]), select(vec![100.0, 400.0]), select(vec![None, Some(5.0), Some(25.0)])).prop_map(
        |(major_ms, critical_ms, critical_below_mbps)| {
            let mut rules = DiagnosisRules::default();
            rules.severity.latency.major.extra_ms = major_ms;
            rules.severity.latency.critical.extra_ms = critical_ms;
            rules.severity.throughput.critical.below_mbps = critical_below_mbps;
            rules.severity
        },
    )
}
