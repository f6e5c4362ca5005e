//! One open incident, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;

use netqoe_model::{
    Cause, FleetRules, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision, IncidentState, Label,
    LogTime, Severity, Weight, WindowStart,
};
use siphasher::sip::SipHasher13;

use crate::space::{CauseId, PairId};

/// Looks without evidence, after which an incident that goes on has come and gone.
const FLAP_LOOKS: u32 = 2;
const SEVERITIES: [Severity; 3] = [Severity::Minor, Severity::Major, Severity::Critical];

/// A pair that has had the label while the incident was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) since: WindowStart,
    pub(crate) until: WindowStart,
    pub(crate) severity: Severity,
    /// Whether it stands so. Its end is then not told: telling it would mean telling of each such pair at each look.
    pub(crate) hurts: bool,
}

impl Member {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            since: self.since.min(other.since),
            until: self.until.max(other.until),
            severity: self.severity.max(other.severity),
            hurts: self.hurts || other.hurts,
        }
    }

    /// What is told of it.
    pub(crate) fn told(self) -> (WindowStart, Option<WindowStart>, Severity) {
        (self.since, (!self.hurts).then_some(self.until), self.severity)
    }
}

/// An incident that is not over.
#[derive(Clone, Debug)]
pub(crate) struct OpenIncident {
    /// As it is told.
    pub(crate) told: Incident,
    pub(crate) cause: CauseId,
    /// The newest look at which its evidence was enough.
    pub(crate) held_at: WindowStart,
    /// Looks since then at which its pairs were measured, and at which most of them said nothing: they were silent, or had
    /// another label.
    pub(crate) quiet: u32,
    pub(crate) unobserved: u32,
    /// Pairs for and against it at `held_at`.
    pub(crate) observed: u32,
    /// Whether it has come and gone before.
    pub(crate) flaps: bool,
    /// Whether it explains the pairs of its cause, so that no other cause is looked for among them.
    pub(crate) stands: bool,
    /// A severity that is not told yet, and how many looks in a row have shown it or one on the same side.
    pub(crate) leaning: (Severity, u32),
    pub(crate) members: BTreeMap<PairId, Member>,
    /// The causes that are the members' clients and targets.
    pub(crate) clients: BTreeSet<CauseId>,
    pub(crate) targets: BTreeSet<CauseId>,
    /// The pairs and windows by which it was told under its present cause, for as long as they may be revised.
    pub(crate) told_by: Vec<(PairId, WindowStart)>,
}

impl OpenIncident {
    pub(crate) fn new(label: Label, cause: &Cause, cause_id: CauseId, opened: WindowStart, at: WindowStart) -> Self {
        let now = LogTime::from_ms(at.ms());
        let told = Incident {
            id: id_of(label, cause, opened),
            label,
            cause: cause.clone(),
            state: IncidentState::Open,
            withdrawn_because: None,
            opened,
            detected: now,
            named: now,
            last: opened,
            closed: None,
            severity: Severity::Minor,
            peak_severity: Severity::Minor,
            at_first: Weight::default(),
            now: Weight::default(),
            pairs: 0,
            clients: 0,
            targets: 0,
            revision: 0,
            as_of: at,
        };
        Self {
            told,
            cause: cause_id,
            held_at: at,
            quiet: 0,
            unobserved: 0,
            observed: 0,
            flaps: false,
            stands: false,
            leaning: (Severity::Minor, 0),
            members: BTreeMap::new(),
            clients: BTreeSet::new(),
            targets: BTreeSet::new(),
            told_by: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> &IncidentId {
        &self.told.id
    }

    /// A look: the pairs for and against it, and whether they are enough. Answers whether they are so again.
    pub(crate) fn hold(&mut self, is_enough: bool, weight: Weight, at: WindowStart) -> bool {
        let is_again = is_enough && self.quiet + self.unobserved > 0;
        let observed = weight.degraded + weight.healthy;
        if is_enough {
            self.flaps |= self.quiet >= FLAP_LOOKS;
            (self.held_at, self.observed, self.quiet, self.unobserved) = (at, observed, 0, 0);
        } else if observed.saturating_mul(2) < self.observed {
            self.unobserved += 1;
        } else {
            self.quiet += 1;
        }
        is_again
    }

    /// Whether its evidence has been missing for too long.
    pub(crate) fn is_over(&self, rules: &FleetRules) -> bool {
        let gap = if self.flaps { rules.flapping_gap_windows } else { rules.gap_windows };
        self.quiet > gap || self.unobserved > rules.unobserved_windows
    }

    /// Takes in a member. Answers whether it is new.
    pub(crate) fn add_member(&mut self, pair: PairId, member: Member, client: CauseId, target: CauseId) -> bool {
        let known = self.members.get(&pair).copied();
        self.members.insert(pair, known.map_or(member, |known| known.and(member)));
        if known.is_none() {
            self.clients.insert(client);
            self.targets.insert(target);
            self.told.pairs = self.members.len() as u32;
            self.told.clients = self.clients.len() as u32;
            self.told.targets = self.targets.len() as u32;
        }
        known.is_none()
    }

    /// What is told of a change. The first of an incident has the number 0.
    pub(crate) fn revise(&mut self, change: IncidentChange, at: WindowStart) -> IncidentRevision {
        if change != IncidentChange::Opened {
            self.told.revision += 1;
        }
        IncidentRevision {
            incident: self.told.id.clone(),
            revision: self.told.revision,
            at,
            change,
            cause: self.told.cause.clone(),
            severity: self.told.severity,
            degraded: self.told.now.degraded,
            state: self.told.state,
            because: self.told.withdrawn_because.clone(),
        }
    }

    /// Follows the severities of its degraded pairs. Answers whether another severity is to be told.
    pub(crate) fn follow_severity(&mut self, by_severity: [u32; 3], rules: &FleetRules) -> bool {
        let Some(seen) = severity_of(by_severity, rules.severity_share) else { return false };
        let told = self.told.severity;
        let is_same_side = (seen > told) == (self.leaning.0 > told);
        if seen == told {
            self.leaning = (told, 0);
            return false;
        }
        // Where it leans to the same side for long enough, the least step of it has been there at every look.
        self.leaning = if self.leaning.1 > 0 && is_same_side {
            let steady = if seen > told { seen.min(self.leaning.0) } else { seen.max(self.leaning.0) };
            (steady, self.leaning.1 + 1)
        } else {
            (seen, 1)
        };
        let needed = if seen > told { rules.severity_rise_looks } else { rules.severity_fall_looks };
        if self.leaning.1 < needed {
            return false;
        }
        self.set_severity(self.leaning.0);
        true
    }

    pub(crate) fn set_severity(&mut self, severity: Severity) {
        self.told.severity = severity;
        self.told.peak_severity = self.told.peak_severity.max(severity);
        self.leaning = (severity, 0);
    }

    /// Ends it: closed, or withdrawn where there is a reason.
    pub(crate) fn end(&mut self, withdrawn_because: Option<String>, window_ms: i64) {
        self.told.state = if withdrawn_because.is_some() { IncidentState::Withdrawn } else { IncidentState::Closed };
        self.told.withdrawn_because = withdrawn_because.map(Arc::from);
        self.told.closed = Some(LogTime::from_ms(self.told.last.ms() + window_ms));
    }

    pub(crate) fn as_member(&self, member: Member, client: &Arc<str>, target: &Arc<str>) -> IncidentMember {
        let (since, until, severity) = member.told();
        IncidentMember {
            incident: self.told.id.clone(),
            client_id: Arc::clone(client),
            target: Arc::clone(target),
            since,
            until,
            severity,
        }
    }
}

/// The worst severity that at least this share of the pairs have; `None` of no pair.
pub(crate) fn severity_of(by_severity: [u32; 3], share: f64) -> Option<Severity> {
    let all: u32 = by_severity.iter().sum();
    let least = (share * f64::from(all)).max(1.0);
    let mut as_bad = 0;
    let mut worst_first = SEVERITIES.into_iter().zip(by_severity).rev();
    worst_first.find_map(|(severity, count)| {
        as_bad += count;
        (f64::from(as_bad) >= least).then_some(severity)
    })
}

/// 64-bit SipHash-1-3 under a fixed key, so that every run gives the same incident the same id.
pub(crate) fn id_of(label: Label, cause: &Cause, opened: WindowStart) -> IncidentId {
    let mut hasher = SipHasher13::new_with_keys(0x6e65_7471_6f65_2d69, 0x6e63_6964_656e_7473);
    let dimension = cause.dimension_name().to_string();
    let texts = [label.as_str(), &dimension].into_iter().chain(cause.texts().iter().map(|value| &**value));
    for text in texts {
        hasher.write(&(text.len() as u64).to_le_bytes());
        hasher.write(text.as_bytes());
    }
    hasher.write(&opened.ms().to_le_bytes());
    IncidentId(format!("{:016x}", hasher.finish()).into())
}

#[cfg(test)]
mod tests {
    use netqoe_model::Dimension;

    use super::*;

    fn cause(value: &[&str]) -> Cause {
        Cause { dimension: Dimension::IspTarget, value: value.iter().map(|text| Arc::from(*text)).collect() }
    }

    #[test]
    fn an_id_follows_from_label_cause_and_window() {
        let id = |label, value: &[&str], ms| id_of(label, &cause(value), WindowStart::from_ms(ms)).0;
        let first = id(Label::DnsBound, &["a", "b"], 60_000);
        assert_eq!(&*first, "bda7aa155e52600f");
        assert_ne!(first, id(Label::ErrorBound, &["a", "b"], 60_000));
        assert_ne!(first, id(Label::DnsBound, &["ab", ""], 60_000));
        assert_ne!(first, id(Label::DnsBound, &["a", "b"], 120_000));
    }

    #[test]
    fn one_odd_pair_does_not_make_an_incident_critical() {
        assert_eq!(severity_of([9, 0, 1], 0.33), Some(Severity::Minor));
        assert_eq!(severity_of([6, 2, 2], 0.33), Some(Severity::Major), "as bad as major are four of ten");
        assert_eq!(severity_of([2, 0, 1], 0.33), Some(Severity::Critical));
        assert_eq!(severity_of([0, 0, 0], 0.33), None);
    }

    #[test]
    fn severity_rises_sooner_than_it_falls() {
        let rules = FleetRules::default();
        let mut incident = OpenIncident::new(
            Label::DnsBound,
            &cause(&["a", "b"]),
            cause_id(),
            WindowStart::default(),
            WindowStart::default(),
        );
        let looks = |incident: &mut OpenIncident, by_severity, count| {
            (0..count).map(|_| incident.follow_severity(by_severity, &rules)).collect::<Vec<_>>()
        };
        assert_eq!(looks(&mut incident, [0, 0, 5], 2), [false, true]);
        assert_eq!(incident.told.severity, Severity::Critical);
        assert_eq!(looks(&mut incident, [5, 0, 0], 4), [false; 4]);
        assert_eq!(looks(&mut incident, [0, 5, 0], 1), [true]);
        assert_eq!(incident.told.severity, Severity::Major, "the least step that all five looks showed");
        assert_eq!(incident.told.peak_severity, Severity::Critical);
    }

    fn cause_id() -> CauseId {
        crate::space::Space::new(&FleetRules::default()).cause_id(&cause(&["a", "b"]))
    }
}
