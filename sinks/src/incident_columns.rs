//! Rows of incidents and of their revisions, as both stores give them to whoever reads them.

use std::sync::Arc;

use netqoe_model::{
    Cause, DimensionName, Incident, IncidentChange, IncidentId, IncidentRevision, IncidentState, Label, LogTime,
    Severity, Weight, WindowStart,
};

/// What [`incident`] reads, in its order.
pub(crate) const INCIDENT_COLUMNS: &str = "id, label, cause_dimension, cause_value, state, withdrawn_because,
    opened, detected, named, last, closed, severity, peak_severity, degraded_at_first, healthy_at_first, degraded_now,
    healthy_now, pairs, clients, targets, revision, as_of";
/// How many columns these are: the first that stands behind them.
pub(crate) const AFTER_INCIDENT: usize = 22;

/// What [`revision`] reads, in its order.
pub(crate) const REVISION_COLUMNS: &str =
    "incident, revision, at, change, cause_dimension, cause_value, severity, degraded, state, because";
/// How many columns these are: the first that stands behind them.
pub(crate) const AFTER_REVISION: usize = 10;

/// These columns, of a table by its name.
pub(crate) fn of(table: &str, columns: &str) -> String {
    let columns = columns.split(',').map(|column| format!("{table}.{}", column.trim()));
    columns.collect::<Vec<_>>().join(", ")
}

/// A row of a store.
pub(crate) trait Columns {
    /// Why it can't be read.
    type Error;

    fn text(&self, column: usize) -> Result<&str, Self::Error>;
    fn some_text(&self, column: usize) -> Result<Option<&str>, Self::Error>;
    fn time_ms(&self, column: usize) -> Result<i64, Self::Error>;
    fn some_time_ms(&self, column: usize) -> Result<Option<i64>, Self::Error>;
    fn count(&self, column: usize) -> Result<u32, Self::Error>;
    /// The column holds a text that this version does not write.
    fn unknown(&self, column: usize, text: &str) -> Self::Error;

    /// What a text stands for.
    fn known<T>(&self, column: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Self::Error> {
        let text = self.text(column)?;
        parse(text).ok_or_else(|| self.unknown(column, text))
    }

    fn window(&self, column: usize) -> Result<WindowStart, Self::Error> {
        Ok(WindowStart::from_ms(self.time_ms(column)?))
    }

    fn log_time(&self, column: usize) -> Result<LogTime, Self::Error> {
        Ok(LogTime::from_ms(self.time_ms(column)?))
    }

    /// The two columns of a cause, from this one on.
    fn cause(&self, first: usize) -> Result<Cause, Self::Error> {
        let texts: Vec<Arc<str>> = self.known(first + 1, |text| serde_json::from_str(text).ok())?;
        Ok(self.known(first, DimensionName::parse)?.with(texts))
    }

    /// Pairs for and against, in two columns.
    fn weight(&self, first: usize) -> Result<Weight, Self::Error> {
        Ok(Weight { degraded: self.count(first)?, healthy: self.count(first + 1)? })
    }
}

/// The incident of a row that begins with [`INCIDENT_COLUMNS`].
pub(crate) fn incident<Row: Columns>(row: &Row) -> Result<Incident, Row::Error> {
    Ok(Incident {
        id: IncidentId(row.text(0)?.into()),
        label: row.known(1, Label::parse)?,
        cause: row.cause(2)?,
        state: row.known(4, IncidentState::parse)?,
        withdrawn_because: row.some_text(5)?.map(Arc::from),
        opened: row.window(6)?,
        detected: row.log_time(7)?,
        named: row.log_time(8)?,
        last: row.window(9)?,
        closed: row.some_time_ms(10)?.map(LogTime::from_ms),
        severity: row.known(11, Severity::parse)?,
        peak_severity: row.known(12, Severity::parse)?,
        at_first: row.weight(13)?,
        now: row.weight(15)?,
        pairs: row.count(17)?,
        clients: row.count(18)?,
        targets: row.count(19)?,
        revision: row.count(20)?,
        as_of: row.window(21)?,
    })
}

/// The revision of a row that begins with [`REVISION_COLUMNS`].
pub(crate) fn revision<Row: Columns>(row: &Row) -> Result<IncidentRevision, Row::Error> {
    revision_from(row, 0)
}

/// The revision of a row, which begins with this column.
pub(crate) fn revision_from<Row: Columns>(row: &Row, first: usize) -> Result<IncidentRevision, Row::Error> {
    let change = row.known(first + 3, IncidentChange::parse)?;
    // A netqoe that corrected nothing did not write where an incident stood.
    let state = match row.some_text(first + 8)? {
        None => change.leads_to(),
        Some(_) => row.known(first + 8, IncidentState::parse)?,
    };
    Ok(IncidentRevision {
        incident: IncidentId(row.text(first)?.into()),
        revision: row.count(first + 1)?,
        at: row.window(first + 2)?,
        change,
        cause: row.cause(first + 4)?,
        severity: row.known(first + 6, Severity::parse)?,
        degraded: row.count(first + 7)?,
        state,
        because: row.some_text(first + 9)?.map(Arc::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_incident_is_where_it_ends() {
        assert_eq!(INCIDENT_COLUMNS.split(',').count(), AFTER_INCIDENT);
        assert_eq!(REVISION_COLUMNS.split(',').count(), AFTER_REVISION);
    }
}
