//! What labels and severities mean under given rules, in plain English: every figure is the rules' own.

use netqoe_model::{Condition, DiagnosisRules, Label, LatencyLevel, PhaseRule, Severity, ThroughputLevel};

/// What a label means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) label: Label,
    /// In a few words.
    pub(crate) meaning: &'static str,
    /// When it is given; any of them is enough. None of what is healthy.
    pub(crate) when: Vec<String>,
    /// From when on it is as bad as this, the least first.
    pub(crate) severities: Vec<(Severity, String)>,
}

/// Of all labels, in the order in which they are tried.
pub(crate) fn meanings(rules: &DiagnosisRules) -> Vec<Meaning> {
    Label::ALL.into_iter().map(|label| meaning(label, rules)).collect()
}

/// How many slow measurements it takes to call a phase slow, and how many to go on doing so.
pub(crate) fn evidence(rules: &DiagnosisRules) -> String {
    let of = &rules.evidence;
    let mut told = format!(
        "A phase is called slow once {} of the measurements of {} are slow, and at least {}",
        percent(of.share),
        windows(of.windows),
        of.least_samples,
    );
    if of.more_windows > of.windows {
        told += &format!("; or {} of those of {}", percent(of.more_share), windows(of.more_windows));
    }
    told + &format!(
        ". It stays so as long as {} of them are. What is usual is known after {} windows.",
        percent(of.keep_share),
        rules.usual.warm_up_windows
    )
}

fn meaning(label: Label, rules: &DiagnosisRules) -> Meaning {
    let (meaning, when, severities) = match label {
        Label::ErrorBound => ("measurements fail", vec![failures(rules)], failed(rules)),
        Label::DnsBound => ("the name resolves slowly", slow("DNS is", &rules.dns_bound), latency(rules)),
        Label::HandshakeBound => (
            "connecting (TCP and TLS) is slow: the path is long or congested",
            slow("TCP and TLS together are", &rules.handshake_bound),
            latency(rules),
        ),
        Label::ServerBound => (
            "the first byte comes late, by more than a longer path explains",
            slow("the first byte is", &rules.server_bound),
            latency(rules),
        ),
        Label::ThroughputBound => ("the transfer is slow", transfer(&rules.throughput_bound), throughput(rules)),
        Label::Healthy => ("nothing is out of the ordinary", Vec::new(), Vec::new()),
    };
    Meaning { label, meaning, when, severities }
}

fn failures(rules: &DiagnosisRules) -> String {
    let of = &rules.error_bound;
    let least = match of.least_failures {
        0 | 1 => String::new(),
        least => format!(", and at least {least}"),
    };
    format!("{} of the measurements of {} fail{least}", percent(of.share), windows(of.windows))
}

/// `subject` with its verb, as "DNS is".
fn slow(subject: &str, rule: &PhaseRule) -> Vec<String> {
    let told = |condition: &Condition| {
        let Condition { ratio, extra_ms, spreads, share_of_total, share_of_extra } = condition;
        let figures = [
            ratio.map(|ratio| format!("at least {ratio} times the usual time")),
            extra_ms.map(|extra_ms| format!("at least {extra_ms} ms above it")),
            spreads.map(|spreads| format!("more than {spreads} spreads above usual")),
            share_of_total.map(|share| format!("at least {} of the total", percent(share))),
            share_of_extra.map(|share| format!("at least {} of what the total is above usual", percent(share))),
        ];
        format!("{subject} {}", joined(figures.into_iter().flatten().chain(others(rule))))
    };
    rule.when.iter().map(told).collect()
}

fn transfer(rule: &PhaseRule) -> Vec<String> {
    let told = |Condition { ratio, spreads, .. }: &Condition| {
        let figures = [
            ratio.map(|ratio| format!("at most {ratio} times the usual throughput")),
            spreads.map(|spreads| format!("more than {spreads} spreads below usual")),
        ];
        format!("throughput is {}", joined(figures.into_iter().flatten().chain(others(rule))))
    };
    rule.when.iter().map(told).collect()
}

/// What a rule asks of other phases.
fn others(rule: &PhaseRule) -> impl Iterator<Item = String> {
    let beyond = |times| format!("above usual by more than {times} times what TCP and TLS are");
    let within = |phase: &str, spreads: f64| format!("not with {phase} more than {spreads} spreads above usual");
    let told = [
        rule.beyond_handshake.map(beyond),
        rule.handshake_spreads.map(|spreads| within("TCP and TLS", spreads)),
        rule.total_spreads.map(|spreads| within("the total", spreads)),
    ];
    told.into_iter().flatten()
}

fn latency(rules: &DiagnosisRules) -> Vec<(Severity, String)> {
    let of = &rules.severity.latency;
    let level = |LatencyLevel { ratio, extra_ms }: &LatencyLevel| {
        let times = format!("at least {ratio} times the usual time");
        if *extra_ms > 0.0 { format!("{times} and {extra_ms} ms more") } else { times }
    };
    levels(level(&of.major), level(&of.critical))
}

fn throughput(rules: &DiagnosisRules) -> Vec<(Severity, String)> {
    let of = &rules.severity.throughput;
    let level = |ThroughputLevel { ratio, below_mbps }: &ThroughputLevel| {
        let times = format!("usually at least {ratio} times as much");
        below_mbps.map_or(times.clone(), |below| format!("{times}, and below {below} Mbit/s"))
    };
    levels(level(&of.major), level(&of.critical))
}

fn failed(rules: &DiagnosisRules) -> Vec<(Severity, String)> {
    let of = &rules.severity.failed;
    let level = |share| format!("at least {} fail", percent(share));
    levels(level(of.major_share), level(of.critical_share))
}

fn levels(major: String, critical: String) -> Vec<(Severity, String)> {
    let minor = (Severity::Minor, "less than that".to_owned());
    vec![minor, (Severity::Major, major), (Severity::Critical, critical)]
}

fn windows(count: u16) -> String {
    if count == 1 { "a window".to_owned() } else { format!("{count} windows") }
}

/// As precise as the rules are written.
fn percent(share: f64) -> String {
    let percent = (share * 1_000.0).round() / 10.0;
    format!("{percent} %")
}

/// As `a, b and c`.
fn joined(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return String::new() };
    if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use netqoe_model::Rules;

    use super::*;

    fn when(label: Label, rules: &DiagnosisRules) -> Vec<String> {
        meanings(rules).into_iter().find(|meaning| meaning.label == label).unwrap().when
    }

    #[test]
    fn the_default_rules_are_told_with_their_own_figures() {
        let mut rules = Rules::default().diagnosis;
        let of_dns = "DNS is at least 1.5 times the usual time, at least 20 ms above it, more than 1.5 spreads above usual and \
            at least 50 % of the total";
        assert_eq!(when(Label::DnsBound, &rules)[0], of_dns);
        assert_eq!(when(Label::ErrorBound, &rules), ["50 % of the measurements of 2 windows fail, and at least 2"]);
        assert_eq!(when(Label::Healthy, &rules), [""; 0]);
        rules.dns_bound.when[0].extra_ms = Some(7.25);
        rules.error_bound.share = 0.125;
        assert_eq!(when(Label::DnsBound, &rules)[0], of_dns.replace("20 ms", "7.25 ms"));
        assert!(when(Label::ErrorBound, &rules)[0].starts_with("12.5 % of"));
    }

    #[test]
    fn other_rules_are_told_as_they_are() {
        let classic = DiagnosisRules::classic();
        let of_server = "the first byte is more than 2 spreads above usual and not with TCP and TLS more than 1 spreads above usual";
        assert_eq!(when(Label::ServerBound, &classic), [of_server]);
        let severities = meanings(&classic).remove(1).severities;
        assert_eq!(severities[1], (Severity::Major, "at least 2 times the usual time".to_owned()));
    }
}
