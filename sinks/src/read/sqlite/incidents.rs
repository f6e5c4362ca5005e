//! Incidents, pairs that miss their rhythm, and planned faults.

use std::sync::Arc;

use netqoe_model::{
    Cause, Dimension, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision, IncidentState, Label,
    LogTime, MaintenanceWindow, PairTally, Severity, Unmeasured, Weight, WindowStart,
};
use rusqlite::Row;

use super::connections::State;
use super::execute::{known, rows};
use crate::read::incidents::{
    Acknowledgement, IncidentFilter, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition, NoteRecord, Paged,
    statements,
};
use crate::read::statement::Statement;
use crate::read::{Names, Page, Pair, ReadError};

impl Incidents for State<'_> {
    fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentRecord>, ReadError> {
        Ok(Page::of(self.all(&statements::incidents(query), incident)?, query.page.limit))
    }

    fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, ReadError> {
        Ok(self.all(&statements::incident(id), incident)?.pop())
    }

    fn gravest(&self, filter: &IncidentFilter, limit: u16) -> Result<Vec<IncidentRecord>, ReadError> {
        self.all(&statements::gravest(filter, limit), incident)
    }

    fn count(&self, filter: &IncidentFilter) -> Result<u64, ReadError> {
        Ok(self.all(&statements::count(filter), |row| row.get(0))?.pop().unwrap_or_default())
    }

    fn revisions(&self, id: &str, limit: u16) -> Result<Vec<IncidentRevision>, ReadError> {
        let incident = IncidentId(id.into());
        self.all(&statements::revisions(id, limit), |row| revision(row, &incident))
    }

    fn notes(&self, id: &str, limit: u16) -> Result<Vec<NoteRecord>, ReadError> {
        self.all(&statements::notes(id, limit), note)
    }

    fn members(&self, id: &str, page: &Paged<Pair>) -> Result<Page<IncidentMember>, ReadError> {
        let incident = IncidentId(id.into());
        let members = self.all(&statements::members(id, page), |row| member(row, &incident))?;
        Ok(Page::of(members, page.limit))
    }

    fn last_closed(&self, until: Option<LogTime>) -> Result<Option<LogTime>, ReadError> {
        Ok(self.all(&statements::last_closed(until), |row| Ok(LogTime::from_ms(row.get(0)?)))?.pop())
    }

    fn unmeasured(
        &self,
        client_id: Option<&str>,
        target: Option<&str>,
        page: &Paged<Pair>,
    ) -> Result<Page<Unmeasured>, ReadError> {
        let mut names = Names::default();
        let found = self.all(&statements::unmeasured(client_id, target, page), |row| unmeasured(row, &mut names))?;
        Ok(Page::of(found, page.limit))
    }

    fn tally(&self) -> Result<Option<(WindowStart, PairTally)>, ReadError> {
        Ok(self.all(&statements::tally(), tally)?.pop())
    }

    fn maintenance(&self, page: &Paged<MaintenancePosition>) -> Result<Page<MaintenanceWindow>, ReadError> {
        Ok(Page::of(self.all(&statements::maintenance(page), maintenance)?, page.limit))
    }

    fn maintenance_within(&self, times_ms: [i64; 2], limit: u16) -> Result<Vec<MaintenanceWindow>, ReadError> {
        self.all(&statements::maintenance_within(times_ms, limit), maintenance)
    }
}

impl State<'_> {
    fn all<T>(
        &self,
        statement: &Statement,
        record: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ReadError> {
        self.read(|connection| rows(statement, connection, record))
    }
}

fn incident(row: &Row<'_>) -> rusqlite::Result<IncidentRecord> {
    let withdrawn_because: Option<String> = row.get(5)?;
    let acknowledged = match (row.get(22)?, row.get(23)?) {
        (Some(at_ms), Some(by)) => Some(Acknowledgement { at_ms, by }),
        _ => None,
    };
    let incident = Incident {
        id: IncidentId(row.get(0)?),
        label: known(row.get_ref(1)?.as_str()?, Label::parse)?,
        cause: cause(row, 2)?,
        state: known(row.get_ref(4)?.as_str()?, IncidentState::parse)?,
        withdrawn_because: withdrawn_because.map(Arc::from),
        opened: WindowStart::from_ms(row.get(6)?),
        detected: LogTime::from_ms(row.get(7)?),
        named: LogTime::from_ms(row.get(8)?),
        last: WindowStart::from_ms(row.get(9)?),
        closed: row.get::<_, Option<i64>>(10)?.map(LogTime::from_ms),
        severity: severity(row, 11)?,
        peak_severity: severity(row, 12)?,
        at_first: Weight { degraded: row.get(13)?, healthy: row.get(14)? },
        now: Weight { degraded: row.get(15)?, healthy: row.get(16)? },
        pairs: row.get(17)?,
        clients: row.get(18)?,
        targets: row.get(19)?,
        revision: row.get(20)?,
        as_of: WindowStart::from_ms(row.get(21)?),
    };
    Ok(IncidentRecord { incident, acknowledged })
}

fn revision(row: &Row<'_>, incident: &IncidentId) -> rusqlite::Result<IncidentRevision> {
    Ok(IncidentRevision {
        incident: incident.clone(),
        revision: row.get(0)?,
        at: WindowStart::from_ms(row.get(1)?),
        change: known(row.get_ref(2)?.as_str()?, IncidentChange::parse)?,
        cause: cause(row, 3)?,
        severity: severity(row, 5)?,
        degraded: row.get(6)?,
    })
}

fn note(row: &Row<'_>) -> rusqlite::Result<NoteRecord> {
    Ok(NoteRecord {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        by: row.get(2)?,
        acknowledges: row.get(3)?,
        text: row.get(4)?,
    })
}

fn member(row: &Row<'_>, incident: &IncidentId) -> rusqlite::Result<IncidentMember> {
    Ok(IncidentMember {
        incident: incident.clone(),
        client_id: row.get(0)?,
        target: row.get(1)?,
        since: WindowStart::from_ms(row.get(2)?),
        until: WindowStart::from_ms(row.get(3)?),
        severity: severity(row, 4)?,
    })
}

fn unmeasured(row: &Row<'_>, names: &mut Names) -> rusqlite::Result<Unmeasured> {
    let Pair { client_id, target } = names.pair(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
    let name = |column| -> rusqlite::Result<Option<String>> { row.get(column) };
    Ok(Unmeasured {
        client_id,
        target,
        last: WindowStart::from_ms(row.get(2)?),
        rhythm_ms: row.get(3)?,
        isp: name(4)?.map(|name| names.shared(&name)),
        site: name(5)?.map(|name| names.shared(&name)),
    })
}

fn tally(row: &Row<'_>) -> rusqlite::Result<(WindowStart, PairTally)> {
    let tally =
        PairTally { degraded: row.get(1)?, healthy: row.get(2)?, unjudged: row.get(3)?, unmeasured: row.get(4)? };
    Ok((WindowStart::from_ms(row.get(0)?), tally))
}

fn maintenance(row: &Row<'_>) -> rusqlite::Result<MaintenanceWindow> {
    Ok(MaintenanceWindow {
        id: row.get(0)?,
        from_ms: row.get(1)?,
        to_ms: row.get(2)?,
        cause: cause(row, 3)?,
        author: row.get(5)?,
        text: row.get(6)?,
        written_at_ms: row.get(7)?,
    })
}

/// The two columns of a cause, from this one on.
fn cause(row: &Row<'_>, first: usize) -> rusqlite::Result<Cause> {
    Ok(Cause {
        dimension: known(row.get_ref(first)?.as_str()?, Dimension::parse)?,
        value: known(row.get_ref(first + 1)?.as_str()?, |text| serde_json::from_str(text).ok())?,
    })
}

fn severity(row: &Row<'_>, column: usize) -> rusqlite::Result<Severity> {
    known(row.get_ref(column)?.as_str()?, Severity::parse)
}
