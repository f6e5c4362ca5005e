//! Incidents in a store: the looks that they are found in, how far that has come, and what was found.
//!
//! Decisions: D-088, D-109.

use std::collections::BTreeMap;

use std::sync::Arc;

use netqoe_model::{
    Cause, FleetChanges, Generation, Incident, IncidentId, IncidentMember, IncidentRevision, Label, LogTime, Look,
    PairTally, Partition, Severity, Unmeasured, WindowStart,
};

use crate::StoreError;

/// Where incidents land, apart from rows: one process of a cluster writes them, from the looks of all.
pub trait FleetStore {
    /// What the process that finds incidents needs to go on.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn resume_fleet(&mut self, generation: Generation) -> Result<FleetResume, StoreError>;

    /// The looks after `after` and up to `through`, by time and then by partition: those of whole minutes only, until they
    /// have more than `most_bytes` in the store.
    ///
    /// # Errors
    /// If the store can't be read, or holds what netqoe does not write.
    fn looks(
        &mut self,
        after: Option<WindowStart>,
        through: WindowStart,
        most_bytes: usize,
    ) -> Result<Vec<Look>, StoreError>;

    /// Writes what was found, how far that reflects the looks, and the state if there is one, in one transaction. Looks that
    /// no start and no correction needs are deleted. Doing it twice is the same as doing it once. Members may be there before
    /// their incident.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened: nothing was written and nothing ever will be.
    fn commit_fleet(&mut self, generation: Generation, commit: &FleetCommit) -> Result<(), StoreError>;

    /// Incidents are found anew, from the looks that are kept: `because` is why those that are open now are withdrawn at
    /// `at`. What is found again is open again. Pairs are unmeasured no more until they are found to be.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn start_fleet_anew(&mut self, generation: Generation, at: WindowStart, because: &str) -> Result<(), StoreError>;

    /// The open incidents, counted.
    ///
    /// # Errors
    /// If the store can't be read.
    fn open_incidents(&mut self) -> Result<OpenIncidents, StoreError>;
}

/// How far incidents reflect the looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetResume {
    /// The newest look that they reflect.
    pub through: Option<WindowStart>,
    /// The newest stored state, and the look that it reflects. Every later look is in the store.
    pub state: Option<(WindowStart, Vec<u8>)>,
    /// The newest correction that they reflect; where they reflect no look, the newest that there is.
    pub corrected: i64,
    /// The look that the newest state reflects which is kept for corrections.
    pub kept: Option<WindowStart>,
}

/// What some looks have led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetCommit {
    /// What each of them has changed, in order.
    pub changes: Vec<FleetChanges>,
    /// The newest of them.
    pub through: WindowStart,
    /// How the pairs stand at it.
    pub tally: PairTally,
    /// The state after a look, if this is the time to store one.
    pub state: Option<(WindowStart, Vec<u8>)>,
    /// The newest correction that they reflect.
    pub corrected: i64,
    /// What is kept for corrections; `None` where nothing is corrected.
    pub kept: Option<Kept>,
    /// Members that are no more: incident, client and target.
    pub members_gone: Vec<(IncidentId, Arc<str>, Arc<str>)>,
}

/// What is kept so that incidents can be found again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// States that are kept from now on, each with the look that it reflects.
    pub states: Vec<(WindowStart, Vec<u8>)>,
    /// The first look that may still be corrected. The newest state before it stays, and so do the looks after that.
    pub since: WindowStart,
}

/// The incidents that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenIncidents {
    /// How many there are of each label and severity.
    pub counts: Vec<(Label, Severity, u64)>,
    /// When the oldest of those that nobody has acknowledged was first told.
    pub oldest_unacknowledged: Option<LogTime>,
}

/// What stands at the end of a commit: each row once.
pub(crate) struct Merged<'a> {
    pub(crate) incidents: Vec<&'a Incident>,
    pub(crate) members: Vec<&'a IncidentMember>,
    /// Each with its incident as it was known then.
    pub(crate) revisions: Vec<(&'a IncidentRevision, Option<&'a Incident>)>,
    pub(crate) unmeasured: Vec<&'a Unmeasured>,
    /// Client and target.
    pub(crate) measured: Vec<(&'a str, &'a str)>,
}

impl<'a> Merged<'a> {
    pub(crate) fn of(commit: &'a FleetCommit) -> Self {
        let (mut incidents, mut members, mut revisions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut pairs: BTreeMap<(&str, &str), Option<&Unmeasured>> = BTreeMap::new();
        for changes in &commit.changes {
            incidents.extend(changes.incidents.iter().map(|incident| (&incident.id, incident)));
            let member = |member: &'a IncidentMember| ((&member.incident, &member.client_id, &member.target), member);
            members.extend(changes.members.iter().map(member));
            let incident = |id: &IncidentId| changes.incidents.iter().find(|incident| incident.id == *id);
            let revision = |revision: &'a IncidentRevision| {
                ((&revision.incident, revision.revision), (revision, incident(&revision.incident)))
            };
            revisions.extend(changes.revisions.iter().map(revision));
            pairs.extend(changes.measured_again.iter().map(|(client_id, target)| ((&**client_id, &**target), None)));
            pairs.extend(changes.unmeasured.iter().map(|pair| ((&*pair.client_id, &*pair.target), Some(pair))));
        }
        let measured = pairs.iter().filter(|(_, pair)| pair.is_none()).map(|(names, _)| *names).collect();
        Self {
            incidents: incidents.into_values().collect(),
            members: members.into_values().collect(),
            revisions: revisions.into_values().collect(),
            unmeasured: pairs.into_values().flatten().collect(),
            measured,
        }
    }
}

/// The value of a cause as stores keep it: a JSON list of texts.
pub(crate) fn value_to_json(cause: &Cause) -> String {
    serde_json::to_string(cause.texts()).unwrap_or_default() // a list of texts can always be written
}

/// An incident as a revision keeps it.
pub(crate) fn incident_to_json(incident: &Incident) -> String {
    serde_json::to_string(incident).unwrap_or_default() // texts and numbers can always be written
}

/// A look as its columns give it.
pub(crate) fn read_look(store: &str, at: WindowStart, partition: u16, bytes: &[u8]) -> Result<Look, StoreError> {
    let sightings = Look::sightings_from_bytes(bytes, at)
        .map_err(|error| StoreError::Content { store: store.to_owned(), what: error.to_string() })?;
    Ok(Look { partition: Partition(partition), at, sightings })
}

/// A label and a severity as their columns give them.
pub(crate) fn read_kind(store: &str, label: &str, severity: &str) -> Result<(Label, Severity), StoreError> {
    let kind = Label::parse(label).zip(Severity::parse(severity));
    let what = || format!("an incident that is {label} and {severity}");
    kind.ok_or_else(|| StoreError::Content { store: store.to_owned(), what: what() })
}

/// How open incidents are counted.
pub(crate) const COUNT_OPEN: &str =
    "SELECT label, severity, count(*) FROM incidents WHERE state = 'open' GROUP BY label, severity
     ORDER BY label, severity";

/// When the oldest open incident was first told that nobody has acknowledged; `acknowledges` is the condition of a note.
pub(crate) fn oldest_unacknowledged(acknowledges: &str) -> String {
    format!(
        "SELECT min(detected) FROM incidents WHERE state = 'open' AND NOT EXISTS
             (SELECT 1 FROM incident_notes WHERE incident_notes.incident = incidents.id AND {acknowledges})"
    )
}

/// What a log that is read from its beginning brings anew. What people have written stays, and what was told.
pub(crate) const FORGET: &str = "DELETE FROM looks; DELETE FROM fleet; DELETE FROM incidents;
    DELETE FROM incident_members; DELETE FROM incident_revisions; DELETE FROM unmeasured; DELETE FROM fleet_states;";

/// What belongs to an incident beside its row, with the key of each.
pub(crate) const PARTS: [(&str, &str); 2] =
    [("incident_members", "incident, client_id, target"), ("incident_revisions", "incident, revision")];
