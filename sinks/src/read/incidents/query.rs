//! What can be asked of incidents.

use netqoe_model::{DimensionName, IncidentState, Label, MAX_TIME_MS, Severity, TagValue, WindowStart};

use crate::read::statement::Value;

/// Which incidents are asked for. What is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// In this state.
    pub state: Option<IncidentState>,
    /// Without those that were withdrawn.
    pub without_withdrawn: bool,
    /// With this label.
    pub label: Option<Label>,
    /// This severe now, or at last.
    pub severity: Option<Severity>,
    /// With a cause of this dimension.
    pub dimension: Option<DimensionName>,
    /// With a pair of this client ...
    pub client_id: Option<String>,
    /// ... and of this target, ...
    pub target: Option<String>,
    /// ... which had each of these labels of its client and target in its first window with the incident's.
    pub tags: Vec<TagValue>,
    /// Not over at this time, in Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Opened before this time, in Unix milliseconds.
    pub to_ms: Option<i64>,
}

/// Which pairs that miss their rhythm are asked for. What is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnmeasuredFilter {
    /// Of this client.
    pub client_id: Option<String>,
    /// Of this target.
    pub target: Option<String>,
    /// With each of these labels of their client and target in the newest window that was measured.
    pub tags: Vec<TagValue>,
}

/// Where an incident stands in the order of pages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentPosition {
    /// Its first window.
    pub opened: WindowStart,
    /// Its id.
    pub id: String,
}

/// A question for one page of incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Which ones.
    pub filter: IncidentFilter,
    /// Which page of them.
    pub page: Paged<IncidentPosition>,
}

/// Where a planned fault stands in the order of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaintenancePosition {
    /// When it begins, Unix milliseconds.
    pub from_ms: i64,
    /// Its number.
    pub id: i64,
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<P> {
    /// The position of the last item of the page before; `None` asks for the first page.
    pub after: Option<P>,
    /// How many items at most.
    pub limit: u16,
}

impl<P> Default for Paged<P> {
    /// The first hundred.
    fn default() -> Self {
        Self { after: None, limit: 100 }
    }
}

impl<P> Paged<P> {
    /// One item more than asked for, which tells whether there are more.
    pub(in crate::read) fn fetch_limit(&self) -> Value {
        Value::Count(i64::from(self.limit) + 1)
    }
}

impl IncidentFilter {
    /// `to_ms`, moved to where the times of incidents begin and end.
    pub(super) fn before(&self) -> Value {
        Value::Time(self.to_ms.unwrap_or(MAX_TIME_MS).clamp(0, MAX_TIME_MS))
    }

    /// The names in it.
    pub(in crate::read) fn names(&self) -> [&Option<String>; 2] {
        [&self.client_id, &self.target]
    }
}
