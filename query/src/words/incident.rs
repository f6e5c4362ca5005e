//! One sentence for an incident.

use netqoe_model::{Cause, Dimension, Incident, IncidentState, Label, Weight};

use super::names::{capitalised, counted, shown};

/// What an incident is, of whom, and how many suffer: as `Target https://x/ is slow to answer for 12 of 14 clients`. An open
/// incident is told in the present, by the pairs that have its label now; others in the past, by all that have had it.
pub(crate) fn of_incident(incident: &Incident) -> String {
    let told = Told::of(incident);
    let sentence = match incident.cause.dimension {
        Dimension::Client => of_client(incident, &told),
        Dimension::Target | Dimension::Host | Dimension::Hosting | Dimension::IspTarget | Dimension::TargetLabel => {
            of_measured(incident, &told)
        }
        Dimension::Isp
        | Dimension::Site
        | Dimension::NetworkType
        | Dimension::SiteNetworkType
        | Dimension::ClientLabel => of_measuring(incident, &told),
        Dimension::Everything => of_everything(incident, &told),
    };
    if incident.state == IncidentState::Withdrawn { format!("Withdrawn: {sentence}") } else { sentence }
}

/// In which tense, and of which pairs.
struct Told {
    is_past: bool,
    weight: Weight,
}

impl Told {
    fn of(incident: &Incident) -> Self {
        let is_past = incident.state != IncidentState::Open;
        // While a gap is bridged, no pair has the label.
        let is_quiet = is_past || incident.now.degraded == 0;
        let weight = if is_quiet { Weight { degraded: incident.pairs, healthy: 0 } } else { incident.now };
        Self { is_past, weight }
    }

    /// Whether all of the cause's pairs suffer now.
    fn holds_all(&self, incident: &Incident) -> bool {
        !self.is_past && self.weight == incident.now && self.weight.healthy == 0
    }

    /// `12 of 14 clients`, `all 14 clients`, `12 clients`.
    fn count(&self, incident: &Incident, one: &str) -> String {
        let degraded = u64::from(self.weight.degraded);
        let all = degraded + u64::from(self.weight.healthy);
        if self.weight.healthy > 0 {
            format!("{degraded} of {}", counted(all, one))
        } else if self.holds_all(incident) && all > 1 {
            format!("all {}", counted(all, one))
        } else {
            counted(degraded, one)
        }
    }

    /// `30 of 40 pairs of 6 clients`.
    fn pairs(&self, incident: &Incident) -> String {
        format!("{} of {}", self.count(incident, "pair"), counted(incident.clients.into(), "client"))
    }

    fn pick<'a>(&self, [present, past]: [&'a str; 2]) -> &'a str {
        if self.is_past { past } else { present }
    }
}

/// What is measured is the subject.
fn of_measured(incident: &Incident, told: &Told) -> String {
    let Cause { dimension, value } = &incident.cause;
    let name = |index: usize| value.get(index).map_or("?".into(), |name| shown(name));
    let (noun, count) = match dimension {
        Dimension::Target => (format!("target {}", name(0)), told.count(incident, "client")),
        Dimension::IspTarget => {
            let count = format!("{} of provider {}", told.count(incident, "client"), name(0));
            (format!("target {}", name(1)), count)
        }
        Dimension::Host => (format!("host {}", name(0)), told.pairs(incident)),
        Dimension::TargetLabel => (format!("targets with {} {}", name(0), name(1)), told.pairs(incident)),
        _ => (format!("hosting network {}", name(0)), told.pairs(incident)),
    };
    match (incident.label, dimension) {
        (Label::DnsBound, Dimension::Hosting) => {
            format!("Names in {noun} {} for {count}", told.pick(["resolve slowly", "resolved slowly"]))
        }
        (Label::DnsBound, _) => {
            format!("The name of {noun} {} for {count}", told.pick(["resolves slowly", "resolved slowly"]))
        }
        (label, _) => capitalised(&format!("{noun} {} for {count}", told.pick(predicate(label)))),
    }
}

/// Who measures stands before a colon.
fn of_measuring(incident: &Incident, told: &Told) -> String {
    let Cause { dimension, value } = &incident.cause;
    let name = |index: usize| value.get(index).map_or("?".into(), |name| shown(name));
    let who = match dimension {
        Dimension::Isp => format!("Provider {}", name(0)),
        Dimension::Site => format!("Site {}", name(0)),
        Dimension::NetworkType => format!("Clients on {}", name(0)),
        Dimension::ClientLabel => format!("Clients with {} {}", name(0), name(1)),
        _ => format!("Clients on {} at site {}", name(1), name(0)),
    };
    format!("{who}: {} for {}", told.pick(clause(incident.label)), told.pairs(incident))
}

/// Where all targets of a client suffer, the fault is hardly theirs.
fn of_client(incident: &Incident, told: &Told) -> String {
    let who = incident.cause.value.first().map_or("?".into(), |name| shown(name));
    let count = told.count(incident, "target");
    let to = if incident.label == Label::HandshakeBound { "to" } else { "for" };
    let line = if told.holds_all(incident) { ", so its own line is the likely cause" } else { "" };
    format!("{who}: {} {to} {count}{line}", told.pick(clause(incident.label)))
}

fn of_everything(incident: &Incident, told: &Told) -> String {
    let what = match incident.label {
        Label::DnsBound => told.pick(["Name resolution is slow everywhere", "Name resolution was slow everywhere"]),
        label => return format!("Everything {}: {}", told.pick(predicate(label)), told.pairs(incident)),
    };
    format!("{what}: {}", told.pairs(incident))
}

/// What is the matter with a thing that is measured, now and in the past.
pub(super) fn predicate(label: Label) -> [&'static str; 2] {
    match label {
        Label::ErrorBound => ["fails", "failed"],
        Label::DnsBound => ["resolves slowly", "resolved slowly"],
        Label::HandshakeBound => ["is slow to connect", "was slow to connect"],
        Label::ServerBound => ["is slow to answer", "was slow to answer"],
        Label::ThroughputBound => ["transfers slowly", "transferred slowly"],
        Label::Healthy => ["is as usual", "was as usual"],
    }
}

/// The same as a clause of its own.
pub(super) fn clause(label: Label) -> [&'static str; 2] {
    match label {
        Label::ErrorBound => ["measurements fail", "measurements failed"],
        Label::DnsBound => ["name resolution is slow", "name resolution was slow"],
        Label::HandshakeBound => ["connecting is slow", "connecting was slow"],
        Label::ServerBound => ["answers are slow", "answers were slow"],
        Label::ThroughputBound => ["transfers are slow", "transfers were slow"],
        Label::Healthy => ["all is as usual", "all was as usual"],
    }
}

#[cfg(test)]
pub(super) mod tests {
    use netqoe_model::{IncidentId, LogTime, Severity, WindowStart};

    use super::*;

    pub(crate) fn incident(
        dimension: Dimension,
        value: &[&str],
        label: Label,
        [degraded, healthy]: [u32; 2],
    ) -> Incident {
        Incident {
            id: IncidentId("0123456789abcdef".into()),
            label,
            cause: Cause { dimension, value: value.iter().map(|&text| text.into()).collect() },
            state: IncidentState::Open,
            withdrawn_because: None,
            opened: WindowStart::from_ms(60_000),
            detected: LogTime::from_ms(180_000),
            named: LogTime::from_ms(180_000),
            last: WindowStart::from_ms(120_000),
            closed: None,
            severity: Severity::Major,
            peak_severity: Severity::Critical,
            at_first: Weight { degraded: 3, healthy: 0 },
            now: Weight { degraded, healthy },
            pairs: 40,
            clients: 6,
            targets: 9,
            revision: 0,
            as_of: WindowStart::from_ms(180_000),
        }
    }

    #[test]
    fn each_cause_and_label_has_its_sentence() {
        use Dimension::*;
        use Label::*;
        for (dimension, value, label, now, expected) in [
            (
                Target,
                &["https://x/"][..],
                ServerBound,
                [12, 2],
                "Target https://x/ is slow to answer for 12 of 14 clients",
            ),
            (Target, &["https://x/"], ErrorBound, [14, 0], "Target https://x/ fails for all 14 clients"),
            (Target, &["https://x/"], HandshakeBound, [1, 0], "Target https://x/ is slow to connect for 1 client"),
            (Target, &["x"], DnsBound, [3, 1], "The name of target x resolves slowly for 3 of 4 clients"),
            (Host, &["x"], ThroughputBound, [30, 10], "Host x transfers slowly for 30 of 40 pairs of 6 clients"),
            (
                Hosting,
                &["AS1"],
                DnsBound,
                [3, 0],
                "Names in hosting network AS1 resolve slowly for all 3 pairs of 6 clients",
            ),
            (
                IspTarget,
                &["isp-a", "x"],
                HandshakeBound,
                [5, 1],
                "Target x is slow to connect for 5 of 6 clients of provider isp-a",
            ),
            (
                Isp,
                &["isp-a"],
                DnsBound,
                [30, 10],
                "Provider isp-a: name resolution is slow for 30 of 40 pairs of 6 clients",
            ),
            (Isp, &["isp-a"], DnsBound, [0, 40], "Provider isp-a: name resolution is slow for 40 pairs of 6 clients"),
            (Site, &["berlin"], ErrorBound, [4, 1], "Site berlin: measurements fail for 4 of 5 pairs of 6 clients"),
            (
                NetworkType,
                &["wifi"],
                ServerBound,
                [4, 1],
                "Clients on wifi: answers are slow for 4 of 5 pairs of 6 clients",
            ),
            (
                SiteNetworkType,
                &["berlin", "wifi"],
                ThroughputBound,
                [4, 1],
                "Clients on wifi at site berlin: transfers are slow for 4 of 5 pairs of 6 clients",
            ),
            (
                Client,
                &["probe-07"],
                HandshakeBound,
                [9, 0],
                "probe-07: connecting is slow to all 9 targets, so its own line is the likely cause",
            ),
            (
                ClientLabel,
                &["team", "core"],
                DnsBound,
                [30, 10],
                "Clients with team core: name resolution is slow for 30 of 40 pairs of 6 clients",
            ),
            (Client, &["probe-07"], ErrorBound, [7, 2], "probe-07: measurements fail for 7 of 9 targets"),
            (Everything, &[], HandshakeBound, [40, 2], "Everything is slow to connect: 40 of 42 pairs of 6 clients"),
            (Everything, &[], DnsBound, [42, 0], "Name resolution is slow everywhere: all 42 pairs of 6 clients"),
        ] {
            assert_eq!(of_incident(&incident(dimension, value, label, now)), expected);
        }
    }

    #[test]
    fn what_is_over_is_told_in_the_past() {
        let over = |state, dimension, value: &[&str], label| {
            of_incident(&Incident { state, ..incident(dimension, value, label, [0, 14]) })
        };
        for (found, expected) in [
            (
                over(IncidentState::Closed, Dimension::Target, &["x"], Label::ServerBound),
                "Target x was slow to answer for 40 clients",
            ),
            (
                over(IncidentState::Closed, Dimension::Client, &["probe-07"], Label::HandshakeBound),
                "probe-07: connecting was slow to 40 targets",
            ),
            (
                over(IncidentState::Withdrawn, Dimension::Everything, &[], Label::ErrorBound),
                "Withdrawn: Everything failed: 40 pairs of 6 clients",
            ),
        ] {
            assert_eq!(found, expected);
        }
    }

    /// A store of another version may hold a value that has fewer texts than its dimension.
    #[test]
    fn a_cause_without_its_value_is_told_all_the_same() {
        for dimension in Dimension::ALL {
            for label in Label::ALL {
                let sentence = of_incident(&incident(dimension, &[], label, [3, 1]));
                assert!(!sentence.is_empty() && !sentence.contains("Some"), "{sentence}");
            }
        }
    }
}
