//! How bad a finding is for a person.

use netqoe_model::{LatencyLevel, Severity, SeverityRules, ThroughputLevel};

/// Of a slow phase, in milliseconds.
pub(super) fn of_latency(observed: f64, centre: f64, rules: &SeverityRules) -> Severity {
    let reaches = |level: &LatencyLevel| observed >= level.ratio * centre && observed >= centre + level.extra_ms;
    gravest(reaches(&rules.latency.critical), reaches(&rules.latency.major))
}

/// Of a slow transfer, in Mbit/s.
pub(super) fn of_throughput(observed: f64, centre: f64, rules: &SeverityRules) -> Severity {
    let reaches = |level: &ThroughputLevel| {
        centre >= level.ratio * observed && level.below_mbps.is_none_or(|below| observed < below)
    };
    gravest(reaches(&rules.throughput.critical), reaches(&rules.throughput.major))
}

/// Of a share of failed measurements.
pub(super) fn of_failures(share: f64, rules: &SeverityRules) -> Severity {
    gravest(share >= rules.failed.critical_share, share >= rules.failed.major_share)
}

fn gravest(is_critical: bool, is_major: bool) -> Severity {
    if is_critical {
        Severity::Critical
    } else if is_major {
        Severity::Major
    } else {
        Severity::Minor
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::DiagnosisRules;

    use super::*;

    #[test]
    fn a_delay_that_nobody_notices_is_minor_however_rare() {
        let rules = DiagnosisRules::default().severity;
        let of = |observed, centre| of_latency(observed, centre, &rules);
        assert_eq!(of(90.0, 2.0), Severity::Minor);
        assert_eq!(of(200.0, 100.0), Severity::Major);
        assert_eq!(of(199.0, 100.0), Severity::Minor);
        assert_eq!(of(128.2, 28.2), Severity::Major, "as exact as what is called slow");
        assert_eq!(of(1_100.0, 950.0), Severity::Minor, "little more than usual");
        assert_eq!(of(1_100.0, 100.0), Severity::Critical);
        assert_eq!(of(1_099.0, 100.0), Severity::Major);
    }

    #[test]
    fn a_transfer_that_is_fast_enough_is_minor() {
        let rules = DiagnosisRules::default().severity;
        let of = |observed, centre| of_throughput(observed, centre, &rules);
        assert_eq!(
            [of(25.0, 400.0), of(24.9, 400.0), of(4.9, 400.0)],
            [Severity::Minor, Severity::Major, Severity::Critical]
        );
        assert_eq!([of(4.9, 7.0), of(4.9, 8.0), of(0.0, 8.0)], [Severity::Minor, Severity::Major, Severity::Critical]);
    }

    #[test]
    fn failures_are_as_bad_as_they_are_many() {
        let rules = DiagnosisRules::default().severity;
        let of = |share| of_failures(share, &rules);
        assert_eq!(
            [of(0.49), of(0.5), of(0.89), of(0.9)],
            [Severity::Minor, Severity::Major, Severity::Major, Severity::Critical]
        );
        let classic = DiagnosisRules::classic().severity;
        assert_eq!(
            [0.74, 0.75, 0.9].map(|share| of_failures(share, &classic)),
            [Severity::Minor, Severity::Major, Severity::Critical]
        );
        assert_eq!(
            [19.9, 20.0, 40.0].map(|ms| of_latency(ms, 10.0, &classic)),
            [Severity::Minor, Severity::Major, Severity::Critical]
        );
    }
}
