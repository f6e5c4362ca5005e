//! What rows of the statements stand for, whichever store gives them.

use netqoe_model::{
    Incident, IncidentId, IncidentMember, IncidentRevision, IncidentState, LogTime, PairTally, Severity, Weight,
    WindowStart,
};

use super::{Acknowledgement, IncidentRecord};
use crate::incident_columns::{AFTER_INCIDENT, AFTER_REVISION, Columns, incident, revision_from};

/// An incident, and who has acknowledged it.
pub(crate) fn record<Row: Columns>(row: &Row) -> Result<IncidentRecord, Row::Error> {
    let by = row.some_text(AFTER_INCIDENT + 1)?.map(str::to_owned);
    let acknowledged = row.some_time_ms(AFTER_INCIDENT)?.zip(by).map(|(at_ms, by)| Acknowledgement { at_ms, by });
    Ok(IncidentRecord { incident: incident(row)?, acknowledged })
}

/// An incident as a revision of it says, and who had acknowledged it by then.
pub(crate) fn record_then<Row: Columns>(row: &Row) -> Result<IncidentRecord, Row::Error> {
    let (of_revision, now) = (AFTER_INCIDENT + 2, record(row)?);
    let json = of_revision + AFTER_REVISION;
    let incident = match row.some_text(json)? {
        Some(_) => row.known(json, |text| serde_json::from_str(text).ok())?,
        None => composed(now.incident, revision_from(row, of_revision)?),
    };
    Ok(IncidentRecord { incident, ..now })
}

/// What is known of an incident as of a revision that does not tell all of it: the rest is as it is now.
fn composed(now: Incident, revision: IncidentRevision) -> Incident {
    let is_over = revision.state != IncidentState::Open;
    Incident {
        cause: revision.cause,
        state: revision.state,
        withdrawn_because: now.withdrawn_because.filter(|_| revision.state == IncidentState::Withdrawn),
        named: now.named.min(LogTime::from_ms(revision.at.ms())),
        last: now.last.min(revision.at),
        closed: now.closed.filter(|_| is_over),
        severity: revision.severity,
        peak_severity: revision.severity,
        now: Weight { degraded: revision.degraded, ..now.now },
        revision: revision.revision,
        as_of: revision.at,
        ..now
    }
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
