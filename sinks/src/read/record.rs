//! Rows as they are read.

use std::sync::Arc;

use netqoe_model::{EventTime, Label, LogTime, Severity, UsualRange, WindowRow, WindowStart};

use super::RowPosition;

/// A row of `agg_1m`.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateRecord {
    /// Who measured.
    pub client_id: String,
    /// What was measured.
    pub target: String,
    /// The window's counts and percentiles.
    pub window: WindowRow,
    /// `None` if there is too little to say anything.
    pub diagnosis_label: Option<Label>,
    /// With some final rows: what later windows of the pair are judged by, as in [`netqoe_model::AggregateRow::pair_state`].
    pub pair_state: Option<Arc<[u8]>>,
    /// How often it was corrected since it is final: written again because of measurements that came late.
    pub revision: u32,
    /// When the row was written, in Unix milliseconds.
    pub updated_at_ms: i64,
}

/// A row of `diagnoses`.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagnosisRecord {
    /// Who measured.
    pub client_id: String,
    /// What was measured.
    pub target: String,
    /// The window that is diagnosed.
    pub window_start: WindowStart,
    /// The label.
    pub label: Label,
    /// How much, and the figures behind it.
    pub finding: FindingRecord,
    /// Whether the row can't change any more.
    pub is_final: bool,
    /// The log time that the row reflects.
    pub as_of: LogTime,
    /// When the row was written, in Unix milliseconds.
    pub updated_at_ms: i64,
}

/// How bad it is, and the figures behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRecord {
    /// How much.
    pub severity: Severity,
    /// What was compared, as in [`netqoe_model::Evidence::stage`].
    pub stage: String,
    /// What the window shows: ms, Mbit/s for throughput, the failed share (0 to 1) for `error-bound`.
    pub observed: f64,
    /// What is usual, same unit; none for `error-bound`.
    pub usual: Option<UsualRange>,
    /// How many standard deviations `observed` lies above the mean, where the rules measure by these.
    pub sigmas: Option<f64>,
    /// Share of the total that the stage takes (0 to 1).
    pub share_of_total: Option<f64>,
    /// Measurements in the windows that were looked at; none in rows of a netqoe that did not count them.
    pub samples: Option<u32>,
    /// Of these, how many failed, or at least how many were slow.
    pub bad_samples: Option<u32>,
    /// How many windows were looked at.
    pub windows: Option<u32>,
    /// Start of the first window of the run that this window belongs to.
    pub since: Option<WindowStart>,
}

/// A run: the diagnosed windows of one pair with one label and one beginning, as far as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Who measured.
    pub client_id: String,
    /// What was measured.
    pub target: String,
    /// The label.
    pub label: Label,
    /// Start of its first window, which may lie before the windows that were asked for.
    pub since: WindowStart,
    /// Start of the last of its windows.
    pub last_window: WindowStart,
    /// How many of its windows have the label.
    pub windows: u64,
    /// How bad it was in the worst of them.
    pub worst_severity: Severity,
    /// Whether the last of them can't change any more.
    pub is_final: bool,
}

/// A row of `clients`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client.
    pub client_id: String,
    /// What its newest event said of its network's type.
    pub network_type: Option<String>,
    /// What its newest event said of its provider.
    pub isp: Option<String>,
    /// The whole `network_context` of its newest event, as JSON text.
    pub context: Option<String>,
    /// Event time of its oldest event.
    pub first_seen: EventTime,
    /// Event time of its newest event.
    pub last_seen: EventTime,
}

/// A target, from the rows that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRecord {
    /// What is measured.
    pub target: String,
    /// How many clients have a row for it, among the rows that were asked for.
    pub client_count: u64,
    /// Its newest window among them.
    pub last_window: WindowStart,
}

impl AggregateRecord {
    /// Where the row stands among others.
    pub fn position(&self) -> RowPosition {
        RowPosition { window_start: self.window.start, client_id: self.client_id.clone(), target: self.target.clone() }
    }
}

impl DiagnosisRecord {
    /// Where the row stands among others.
    pub fn position(&self) -> RowPosition {
        RowPosition { window_start: self.window_start, client_id: self.client_id.clone(), target: self.target.clone() }
    }
}
