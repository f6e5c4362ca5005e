//! The fold again, over looks that were corrected, and how what was found before it differs.
//!
//! [`Refold`] goes on from a state of the fleet that no correction has changed. It keeps how each incident, each member and each
//! silent pair has come to stand since. [`Refold::finish`] compares that with what was found before, and answers what is to be
//! written, so that what stands then is what a fold over the corrected looks finds.
//!
//! Decision: D-109.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{
    FleetChanges, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision, IncidentState, LogTime, Look,
    Unmeasured, WindowStart,
};

use crate::fold::Fleet;
use crate::incident::OpenIncident;

/// Client and target.
type PairName = (Arc<str>, Arc<str>);

/// A fold that goes again through looks that were folded before.
#[derive(Debug)]
pub struct Refold {
    /// The look after which what was found before may be wrong.
    after: WindowStart,
    fleet: Fleet,
    /// As they stand: those that were open at `after`, and all that have changed since.
    incidents: BTreeMap<IncidentId, Incident>,
    members: BTreeMap<IncidentId, BTreeMap<PairName, IncidentMember>>,
    silent: BTreeMap<PairName, Silent>,
}

/// A pair that is silent.
#[derive(Debug)]
enum Silent {
    /// It was at `after`, and is still. What is known of it may have changed after it was told.
    Still(Unmeasured),
    /// It was told since.
    Told(Unmeasured),
}

/// What was found before, as it stands in the store.
#[derive(Clone, Debug, Default)]
pub struct FoundBefore {
    /// The incidents that are open or have changed since [`Refold::after`], and those of [`Refold::incidents`].
    pub incidents: Vec<Incident>,
    /// All silent pairs.
    pub unmeasured: Vec<Unmeasured>,
}

/// Why incidents are found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Because {
    /// The log time of the newest correction.
    pub at: LogTime,
    /// Events that came late and count now; 0 where that is not known yet.
    pub events: u64,
}

/// What a refold has led to.
#[derive(Debug)]
pub struct Refolded {
    /// As it goes on.
    pub fleet: Fleet,
    /// What is to be written, with one revision for each incident that differs.
    pub changes: FleetChanges,
    /// Members that the corrected looks do not show: incident, client and target.
    pub members_gone: Vec<(IncidentId, Arc<str>, Arc<str>)>,
}

impl Refolded {
    /// Whether what was found before says the same.
    pub fn is_as_before(&self) -> bool {
        let FleetChanges { at, tally, .. } = self.changes;
        self.members_gone.is_empty() && self.changes == FleetChanges { at, tally, ..FleetChanges::default() }
    }
}

impl Refold {
    /// Begins with a state of which no look is corrected, as of the look `after`.
    pub fn new(after: WindowStart, fleet: Fleet) -> Self {
        let (mut incidents, mut members) = (BTreeMap::new(), BTreeMap::new());
        for open in fleet.open.iter().flatten() {
            incidents.insert(open.id().clone(), open.told.clone());
            members.insert(open.id().clone(), members_of(&fleet, open));
        }
        let silent = fleet.space.pairs().map(|(_, pair)| pair).filter(|pair| pair.unmeasured);
        let silent = silent.map(|pair| {
            let name = (Arc::clone(&pair.client), Arc::clone(&pair.target));
            (name, Silent::Still(pair.as_unmeasured(fleet.window_ms)))
        });
        let silent = silent.collect();
        Self { after, fleet, incidents, members, silent }
    }

    /// The look after which what was found before may be wrong.
    pub fn after(&self) -> WindowStart {
        self.after
    }

    /// The fleet as of the newest look that was folded again.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The incidents that have been found again until now.
    pub fn incidents(&self) -> impl Iterator<Item = &IncidentId> {
        self.incidents.keys()
    }

    /// Folds in the looks of all partitions at one time.
    pub fn advance(&mut self, at: WindowStart, looks: Vec<Look>) {
        let changes = self.fleet.advance(at, looks);
        for incident in changes.incidents {
            self.incidents.insert(incident.id.clone(), incident);
        }
        for member in changes.members {
            let name = (Arc::clone(&member.client_id), Arc::clone(&member.target));
            self.members.entry(member.incident.clone()).or_default().insert(name, member);
        }
        changes.measured_again.iter().for_each(|name| drop(self.silent.remove(name)));
        for pair in changes.unmeasured {
            let name = (Arc::clone(&pair.client_id), Arc::clone(&pair.target));
            self.silent.insert(name, Silent::Told(pair));
        }
    }

    /// Ends it. `members_before` answers the members of one incident as they stand in the store.
    ///
    /// # Errors
    /// Those of `members_before`.
    pub fn finish<E>(
        self,
        before: FoundBefore,
        because: Because,
        mut members_before: impl FnMut(&IncidentId) -> Result<Vec<IncidentMember>, E>,
    ) -> Result<Refolded, E> {
        let Self { after, mut fleet, incidents, mut members, silent } = self;
        let through = fleet.through().unwrap_or(after);
        let mut differences = Differences::new(through, because, fleet.window_ms);
        let mut numbers = BTreeMap::new();
        let mut known: BTreeMap<_, _> = before.incidents.into_iter().map(|it| (it.id.clone(), it)).collect();
        let new: Vec<_> = incidents.values().filter(|incident| !known.contains_key(&incident.id)).cloned().collect();
        for (id, incident) in incidents {
            numbers.insert(id.clone(), differences.incident(known.remove(&id), incident));
            differences.members(&id, members.remove(&id).unwrap_or_default(), members_before(&id)?);
        }
        for incident in known.into_values().filter(|it| it.as_of > after || it.state == IncidentState::Open) {
            differences.not_found_again(incident, &new);
        }
        differences.silence(silent, &before.unmeasured);
        for open in fleet.open.iter_mut().flatten() {
            if let Some(number) = numbers.get(&open.told.id) {
                open.told.revision = *number;
            }
        }
        let Differences { mut changes, members_gone, .. } = differences;
        changes.tally = fleet.tally();
        Ok(Refolded { fleet, changes, members_gone })
    }
}

fn members_of(fleet: &Fleet, open: &OpenIncident) -> BTreeMap<PairName, IncidentMember> {
    let member = |(id, member): (&_, &_)| {
        let pair = fleet.space.pair(*id);
        let name = (Arc::clone(&pair.client), Arc::clone(&pair.target));
        (name, open.as_member(*member, &pair.client, &pair.target))
    };
    open.members.iter().map(member).collect()
}

/// What is to be written, in the order of names.
struct Differences {
    changes: FleetChanges,
    members_gone: Vec<(IncidentId, Arc<str>, Arc<str>)>,
    because: Because,
    window_ms: i64,
}

impl Differences {
    fn new(at: WindowStart, because: Because, window_ms: i64) -> Self {
        let changes = FleetChanges { at, ..FleetChanges::default() };
        Self { changes, members_gone: Vec::new(), because, window_ms }
    }

    /// An incident that the corrected looks have. Answers the number of its newest revision.
    fn incident(&mut self, before: Option<Incident>, mut incident: Incident) -> u32 {
        let change = match &before {
            None => Some(IncidentChange::Opened),
            Some(before) if is_told_as(before, &incident) => None,
            Some(before) if incident.state == IncidentState::Withdrawn && before.state != incident.state => {
                Some(IncidentChange::Withdrawn)
            }
            Some(_) => Some(IncidentChange::Corrected),
        };
        // The fold has counted revisions from an earlier one on, and some of these were never told.
        incident.revision = before.as_ref().map_or(0, |before| before.revision + u32::from(change.is_some()));
        let number = incident.revision;
        if let Some(change) = change {
            let because = match change {
                IncidentChange::Withdrawn => incident.withdrawn_because.clone(),
                _ => Some(format!("{}.", self.late()).into()),
            };
            self.revise(change, &incident, because);
        }
        if before.is_none_or(|before| before != incident) {
            self.changes.incidents.push(incident);
        }
        number
    }

    /// An incident that the corrected looks do not have. One that was withdrawn before stays as it is.
    fn not_found_again(&mut self, mut incident: Incident, new: &[Incident]) {
        if incident.state == IncidentState::Withdrawn {
            return;
        }
        let because: Arc<str> = match new.iter().find(|new| is_same_fault(&incident, new)) {
            Some(new) => format!("{} and show it as the incident {}.", self.late(), new.id),
            None => format!("{} and show no such incident.", self.late()),
        }
        .into();
        incident.state = IncidentState::Withdrawn;
        incident.closed = incident.closed.or(Some(LogTime::from_ms(incident.last.ms() + self.window_ms)));
        incident.withdrawn_because = Some(Arc::clone(&because));
        incident.revision += 1;
        incident.as_of = self.changes.at;
        self.revise(IncidentChange::Withdrawn, &incident, Some(because));
        self.changes.incidents.push(incident);
    }

    fn revise(&mut self, change: IncidentChange, incident: &Incident, because: Option<Arc<str>>) {
        // After the newest look that incidents reflected: at that look nobody knew of it.
        let at_ms = self.because.at.ms().max(self.changes.at.ms() + 1);
        self.changes.revisions.push(IncidentRevision {
            incident: incident.id.clone(),
            revision: incident.revision,
            at: WindowStart::from_ms(at_ms),
            change,
            cause: incident.cause.clone(),
            severity: incident.severity,
            degraded: incident.now.degraded,
            state: incident.state,
            because,
        });
    }

    /// The beginning of a reason.
    fn late(&self) -> String {
        match self.because.events {
            0 => "Measurements came late".to_owned(),
            1 => "1 measurement came late".to_owned(),
            events => format!("{events} measurements came late"),
        }
    }

    fn members(
        &mut self,
        incident: &IncidentId,
        mut members: BTreeMap<PairName, IncidentMember>,
        before: Vec<IncidentMember>,
    ) {
        for before in before {
            let name = (Arc::clone(&before.client_id), Arc::clone(&before.target));
            match members.get(&name) {
                None => self.members_gone.push((incident.clone(), name.0, name.1)),
                Some(member) if *member == before => drop(members.remove(&name)),
                Some(_) => {}
            }
        }
        self.changes.members.extend(members.into_values());
    }

    fn silence(&mut self, silent: BTreeMap<PairName, Silent>, before: &[Unmeasured]) {
        let name = |pair: &Unmeasured| (Arc::clone(&pair.client_id), Arc::clone(&pair.target));
        let before: BTreeMap<_, _> = before.iter().map(|pair| (name(pair), pair)).collect();
        let measured: BTreeSet<_> = before.keys().filter(|name| !silent.contains_key(*name)).cloned().collect();
        self.changes.measured_again.extend(measured);
        for (name, pair) in silent {
            let before = before.get(&name);
            match pair {
                // What was told of it when it fell silent.
                Silent::Still(pair) if before.is_some_and(|before| before.last <= pair.last) => {}
                Silent::Still(pair) | Silent::Told(pair) => {
                    if before.is_none_or(|before| **before != pair) {
                        self.changes.unmeasured.push(pair);
                    }
                }
            }
        }
    }
}

/// Whether the two say the same of an incident, whatever the numbers of their revisions and looks.
fn is_told_as(before: &Incident, after: &Incident) -> bool {
    *before == Incident { revision: before.revision, as_of: before.as_of, ..after.clone() }
}

/// Whether the two are of one label at one time, and the cause of one is the other's or a part of it.
fn is_same_fault(before: &Incident, after: &Incident) -> bool {
    let is_of_time = before.opened <= after.last && after.opened <= before.last;
    let is_of_cause = before.cause.includes(&after.cause) || after.cause.includes(&before.cause);
    before.label == after.label && is_of_time && is_of_cause
}
