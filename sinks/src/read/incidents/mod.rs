//! What readers ask of incidents, of pairs that miss their rhythm, and of planned faults.

mod query;
mod rows;
pub(super) mod statements;

use netqoe_model::{
    Incident, IncidentMember, IncidentRevision, LogTime, MaintenanceWindow, PairTally, Unmeasured, WindowStart,
};

pub use query::{IncidentFilter, IncidentPosition, IncidentQuery, MaintenancePosition, Paged, UnmeasuredFilter};
pub(crate) use rows::member;
pub(super) use rows::{record, record_then, tally};

use super::{Page, Pair, ReadError};

/// Incidents of a snapshot. Each question has a time limit of its own.
pub trait Incidents {
    /// Incidents, those that opened last first, then by id, descending.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentRecord>, ReadError>;

    /// The incident with this id.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, ReadError>;

    /// Incidents as they were known at a log time, in the same order. The filter is for what was known; for pairs, those that have
    /// had the label by then as far as is known now.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn incidents_then(&self, query: &IncidentQuery, then: LogTime) -> Result<Page<IncidentRecord>, ReadError>;

    /// The incident with this id as it was known at a log time; `None` where it was not known by then.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn incident_then(&self, id: &str, then: LogTime) -> Result<Option<IncidentRecord>, ReadError>;

    /// Incidents of the filter, the gravest first: by severity, by degraded pairs, by when they opened and by id, `limit` at
    /// most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn gravest(&self, filter: &IncidentFilter, limit: u16) -> Result<Vec<IncidentRecord>, ReadError>;

    /// How many incidents of the filter there are.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn count(&self, filter: &IncidentFilter) -> Result<u64, ReadError>;

    /// What changed of an incident, the newest first, `limit` at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn revisions(&self, id: &str, limit: u16) -> Result<Vec<IncidentRevision>, ReadError>;

    /// What people have said of an incident, the newest first, `limit` at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn notes(&self, id: &str, limit: u16) -> Result<Vec<NoteRecord>, ReadError>;

    /// The pairs of an incident, by client and target.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn members(&self, id: &str, page: &Paged<Pair>) -> Result<Page<IncidentMember>, ReadError>;

    /// When the incident was over that was over last, before or at a time where one is given. Withdrawn ones don't count.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn last_closed(&self, until: Option<LogTime>) -> Result<Option<LogTime>, ReadError>;

    /// Pairs that miss their rhythm, by client and target.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn unmeasured(&self, filter: &UnmeasuredFilter, page: &Paged<Pair>) -> Result<Page<Unmeasured>, ReadError>;

    /// How many pairs stand how at the newest look that incidents reflect; `None` before the first.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn tally(&self) -> Result<Option<(WindowStart, PairTally)>, ReadError>;

    /// Planned faults, those that begin last first.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn maintenance(&self, page: &Paged<MaintenancePosition>) -> Result<Page<MaintenanceWindow>, ReadError>;

    /// Planned faults that overlap a time, in Unix milliseconds, those that end last first, `limit` at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn maintenance_within(&self, times_ms: [i64; 2], limit: u16) -> Result<Vec<MaintenanceWindow>, ReadError>;
}

/// An incident, and whether somebody has taken it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRecord {
    /// The incident.
    pub incident: Incident,
    /// The first of its notes that acknowledge it.
    pub acknowledged: Option<Acknowledgement>,
}

/// Who has taken up an incident, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Who.
    pub by: String,
}

/// What a person said of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRecord {
    /// Which note: a number of the store's.
    pub id: i64,
    /// When it was written, Unix milliseconds.
    pub at_ms: i64,
    /// Who wrote it.
    pub by: String,
    /// Whether its author has taken the incident up with it.
    pub acknowledges: bool,
    /// What it says.
    pub text: String,
}

impl IncidentRecord {
    /// Where it stands among others.
    pub fn position(&self) -> IncidentPosition {
        IncidentPosition { opened: self.incident.opened, id: self.incident.id.0.to_string() }
    }
}
