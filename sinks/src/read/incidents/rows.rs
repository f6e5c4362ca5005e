//! What rows of the statements stand for, whichever store gives them.

use netqoe_model::{IncidentId, IncidentMember, PairTally, Severity, WindowStart};

use super::{Acknowledgement, IncidentRecord};
use crate::incident_columns::{AFTER_INCIDENT, Columns, incident};

/// An incident, and who has acknowledged it.
pub(crate) fn record<Row: Columns>(row: &Row) -> Result<IncidentRecord, Row::Error> {
    let by = row.some_text(AFTER_INCIDENT + 1)?.map(str::to_owned);
    let acknowledged = row.some_time_ms(AFTER_INCIDENT)?.zip(by).map(|(at_ms, by)| Acknowledgement { at_ms, by });
    Ok(IncidentRecord { incident: incident(row)?, acknowledged })
}

/// A member of this incident.
pub(crate) fn member<Row: Columns>(row: &Row, incident: &IncidentId) -> Result<IncidentMember, Row::Error> {
    Ok(IncidentMember {
        incident: incident.clone(),
        client_id: row.text(0)?.into(),
        target: row.text(1)?.into(),
        since: row.window(2)?,
        until: row.some_time_ms(3)?.map(WindowStart::from_ms),
        severity: row.known(4, Severity::parse)?,
    })
}

/// How many pairs stand in which way, at a look.
pub(crate) fn tally<Row: Columns>(row: &Row) -> Result<(WindowStart, PairTally), Row::Error> {
    let tally = PairTally {
        degraded: row.count(1)?,
        healthy: row.count(2)?,
        unjudged: row.count(3)?,
        unmeasured: row.count(4)?,
    };
    Ok((row.window(0)?, tally))
}
