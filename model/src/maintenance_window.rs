//! Faults that people have planned.

use std::sync::Arc;

use crate::{Cause, Dimension, Incident};

/// A time for which people expect a fault of one cause. Incidents of it are kept, and nobody is notified of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceWindow {
    /// Which one, as the store has numbered it.
    pub id: i64,
    /// Its first millisecond, Unix time.
    pub from_ms: i64,
    /// Its end, exclusive, Unix time in milliseconds.
    pub to_ms: i64,
    /// What is worked on.
    pub cause: Cause,
    /// Who has announced it.
    pub author: Arc<str>,
    /// What is planned.
    pub text: Arc<str>,
    /// When it was announced, Unix milliseconds.
    pub written_at_ms: i64,
}

impl MaintenanceWindow {
    /// Whether it explains an incident: the incident began within it, all evidence lies within it, and all pairs belong to what
    /// is worked on. So an incident that outlasts the window is planned no longer.
    pub fn explains(&self, incident: &Incident) -> bool {
        self.from_ms <= incident.opened.ms() && incident.last.ms() < self.to_ms && self.cause.includes(&incident.cause)
    }
}

impl Cause {
    /// Whether all pairs of `other` are pairs of this cause too, as far as the two values show it: a target includes that target
    /// as one provider sees it. A host includes only itself, since its targets are not known here.
    pub fn includes(&self, other: &Self) -> bool {
        let [first, second] = [other.value.first(), other.value.get(1)];
        let alone = self.value.first();
        match (self.dimension, other.dimension) {
            (Dimension::Everything, _) => true,
            (one, another) if one == another => self.value == other.value,
            (Dimension::Isp, Dimension::IspTarget) | (Dimension::Site, Dimension::SiteNetworkType) => alone == first,
            (Dimension::Target, Dimension::IspTarget) | (Dimension::NetworkType, Dimension::SiteNetworkType) => {
                alone == second
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IncidentId, IncidentState, Label, LogTime, Severity, Weight, WindowStart};

    fn cause(dimension: Dimension, value: &[&str]) -> Cause {
        Cause { dimension, value: value.iter().map(|&text| text.into()).collect() }
    }

    #[test]
    fn a_cause_includes_itself_and_what_is_narrower() {
        let joined = cause(Dimension::IspTarget, &["isp-a", "t"]);
        let at_site = cause(Dimension::SiteNetworkType, &["berlin", "wifi"]);
        for (wide, narrow, expected) in [
            (cause(Dimension::Everything, &[]), joined.clone(), true),
            (cause(Dimension::Target, &["t"]), cause(Dimension::Target, &["t"]), true),
            (cause(Dimension::Target, &["t"]), cause(Dimension::Target, &["u"]), false),
            (cause(Dimension::Target, &["t"]), joined.clone(), true),
            (cause(Dimension::Target, &["isp-a"]), joined.clone(), false),
            (cause(Dimension::Isp, &["isp-a"]), joined.clone(), true),
            (cause(Dimension::Isp, &["t"]), joined.clone(), false),
            (cause(Dimension::Site, &["berlin"]), at_site.clone(), true),
            (cause(Dimension::NetworkType, &["wifi"]), at_site.clone(), true),
            (cause(Dimension::NetworkType, &["berlin"]), at_site, false),
            (joined, cause(Dimension::Target, &["t"]), false),
            (cause(Dimension::Host, &["t"]), cause(Dimension::Target, &["t"]), false),
            (cause(Dimension::Client, &["t"]), cause(Dimension::Everything, &[]), false),
        ] {
            assert_eq!(wide.includes(&narrow), expected, "{wide:?} {narrow:?}");
        }
    }

    #[test]
    fn a_window_explains_what_lies_within_it() {
        let window = MaintenanceWindow {
            id: 1,
            from_ms: 60_000,
            to_ms: 180_000,
            cause: cause(Dimension::Target, &["t"]),
            author: "a".into(),
            text: "b".into(),
            written_at_ms: 0,
        };
        for (opened, last, expected) in
            [(60_000, 120_000, true), (0, 120_000, false), (60_000, 180_000, false), (120_000, 120_000, true)]
        {
            let incident = incident(opened, last, cause(Dimension::Target, &["t"]));
            assert_eq!(window.explains(&incident), expected, "{opened} {last}");
        }
        assert!(!window.explains(&incident(60_000, 60_000, cause(Dimension::Everything, &[]))));
    }

    fn incident(opened: i64, last: i64, cause: Cause) -> Incident {
        Incident {
            id: IncidentId("0123456789abcdef".into()),
            label: Label::ServerBound,
            cause,
            state: IncidentState::Open,
            withdrawn_because: None,
            opened: WindowStart::from_ms(opened),
            detected: LogTime::from_ms(opened),
            named: LogTime::from_ms(opened),
            last: WindowStart::from_ms(last),
            closed: None,
            severity: Severity::Minor,
            peak_severity: Severity::Minor,
            at_first: Weight::default(),
            now: Weight::default(),
            pairs: 1,
            clients: 1,
            targets: 1,
            revision: 0,
            as_of: WindowStart::from_ms(last),
        }
    }
}
