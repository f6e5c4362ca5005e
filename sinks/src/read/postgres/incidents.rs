//! Incidents, pairs that miss their rhythm, and planned faults.

use std::sync::Arc;

use netqoe_model::{
    Cause, Dimension, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision, IncidentState, Label,
    LogTime, MaintenanceWindow, PairTally, Severity, Unmeasured, Weight, WindowStart,
};
use postgres::Row;

use super::execute::known;
use super::pool::State;
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::incidents::{
    Acknowledgement, IncidentFilter, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition, NoteRecord, Paged,
    statements,
};
use crate::read::statement::Statement;
use crate::read::{Names, Page, Pair, ReadError};

impl Incidents for State<'_> {
    fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentRecord>, ReadError> {
        let found = self.found(&query.filter, &statements::incidents(query), incident)?;
        Ok(Page::of(found, query.page.limit))
    }

    fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, ReadError> {
        Ok(self.of(id, &statements::incident(id), incident)?.pop())
    }

    fn gravest(&self, filter: &IncidentFilter, limit: u16) -> Result<Vec<IncidentRecord>, ReadError> {
        self.found(filter, &statements::gravest(filter, limit), incident)
    }

    fn count(&self, filter: &IncidentFilter) -> Result<u64, ReadError> {
        let count = self.found(filter, &statements::count(filter), |row| narrow::<i64, u64>(row, 0))?.pop();
        Ok(count.unwrap_or_default())
    }

    fn revisions(&self, id: &str, limit: u16) -> Result<Vec<IncidentRevision>, ReadError> {
        let incident = IncidentId(id.into());
        self.of(id, &statements::revisions(id, limit), |row| revision(row, &incident))
    }

    fn notes(&self, id: &str, limit: u16) -> Result<Vec<NoteRecord>, ReadError> {
        self.of(id, &statements::notes(id, limit), note)
    }

    fn members(&self, id: &str, page: &Paged<Pair>) -> Result<Page<IncidentMember>, ReadError> {
        let incident = IncidentId(id.into());
        let members = self.of(id, &statements::members(id, page), |row| member(row, &incident))?;
        Ok(Page::of(members, page.limit))
    }

    fn last_closed(&self, until: Option<LogTime>) -> Result<Option<LogTime>, ReadError> {
        Ok(self.read(&statements::last_closed(until), |row| log_time(row, 0))?.pop())
    }

    fn unmeasured(
        &self,
        client_id: Option<&str>,
        target: Option<&str>,
        page: &Paged<Pair>,
    ) -> Result<Page<Unmeasured>, ReadError> {
        let mut names = Names::default();
        let statement = statements::unmeasured(client_id, target, page);
        let asked = [&client_id.map(str::to_owned), &target.map(str::to_owned)];
        let found = self.named(asked, &statement, |row| unmeasured(row, &mut names).map(Some))?;
        Ok(Page::of(found, page.limit))
    }

    fn tally(&self) -> Result<Option<(WindowStart, PairTally)>, ReadError> {
        Ok(self.read(&statements::tally(), tally)?.pop())
    }

    fn maintenance(&self, page: &Paged<MaintenancePosition>) -> Result<Page<MaintenanceWindow>, ReadError> {
        Ok(Page::of(self.read(&statements::maintenance(page), maintenance)?, page.limit))
    }

    fn maintenance_within(&self, times_ms: [i64; 2], limit: u16) -> Result<Vec<MaintenanceWindow>, ReadError> {
        self.read(&statements::maintenance_within(times_ms, limit), maintenance)
    }
}

impl State<'_> {
    /// What a filter finds.
    fn found<T>(
        &self,
        filter: &IncidentFilter,
        statement: &Statement,
        mut record: impl FnMut(&Row) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, ReadError> {
        self.named(filter.names(), statement, |row| record(row).map(Some))
    }

    /// What there is of the incident with this id.
    fn of<T>(
        &self,
        id: &str,
        statement: &Statement,
        mut record: impl FnMut(&Row) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, ReadError> {
        self.named([&Some(id.to_owned()), &None], statement, |row| record(row).map(Some))
    }
}

fn incident(row: &Row) -> Result<IncidentRecord, Unreadable> {
    let acknowledged = match (row.try_get(22)?, row.try_get(23)?) {
        (Some(at), Some(by)) => Some(Acknowledgement { at_ms: unix_ms(at), by }),
        _ => None,
    };
    let incident = Incident {
        id: IncidentId(text(row, 0)?),
        label: known(row.try_get(1)?, Label::parse)?,
        cause: cause(row, 2)?,
        state: known(row.try_get(4)?, IncidentState::parse)?,
        withdrawn_because: some_text(row, 5)?,
        opened: window(row, 6)?,
        detected: log_time(row, 7)?,
        named: log_time(row, 8)?,
        last: window(row, 9)?,
        closed: row.try_get::<_, Option<_>>(10)?.map(|at| LogTime::from_ms(unix_ms(at))),
        severity: known(row.try_get(11)?, Severity::parse)?,
        peak_severity: known(row.try_get(12)?, Severity::parse)?,
        at_first: weight(row, 13)?,
        now: weight(row, 15)?,
        pairs: narrow::<i64, u32>(row, 17)?,
        clients: narrow::<i64, u32>(row, 18)?,
        targets: narrow::<i64, u32>(row, 19)?,
        revision: narrow::<i64, u32>(row, 20)?,
        as_of: window(row, 21)?,
    };
    Ok(IncidentRecord { incident, acknowledged })
}

fn revision(row: &Row, incident: &IncidentId) -> Result<IncidentRevision, Unreadable> {
    Ok(IncidentRevision {
        incident: incident.clone(),
        revision: narrow::<i64, u32>(row, 0)?,
        at: window(row, 1)?,
        change: known(row.try_get(2)?, IncidentChange::parse)?,
        cause: cause(row, 3)?,
        severity: known(row.try_get(5)?, Severity::parse)?,
        degraded: narrow::<i64, u32>(row, 6)?,
    })
}

fn note(row: &Row) -> Result<NoteRecord, Unreadable> {
    Ok(NoteRecord {
        id: row.try_get(0)?,
        at_ms: unix_ms(row.try_get(1)?),
        by: row.try_get(2)?,
        acknowledges: row.try_get(3)?,
        text: row.try_get(4)?,
    })
}

fn member(row: &Row, incident: &IncidentId) -> Result<IncidentMember, Unreadable> {
    Ok(IncidentMember {
        incident: incident.clone(),
        client_id: text(row, 0)?,
        target: text(row, 1)?,
        since: window(row, 2)?,
        until: window(row, 3)?,
        severity: known(row.try_get(4)?, Severity::parse)?,
    })
}

fn unmeasured(row: &Row, names: &mut Names) -> Result<Unmeasured, Unreadable> {
    let Pair { client_id, target } = names.pair(row.try_get(0)?, row.try_get(1)?);
    let [isp, site]: [Option<&str>; 2] = [row.try_get(4)?, row.try_get(5)?];
    Ok(Unmeasured {
        client_id,
        target,
        last: window(row, 2)?,
        rhythm_ms: row.try_get(3)?,
        isp: isp.map(|name| names.shared(name)),
        site: site.map(|name| names.shared(name)),
    })
}

fn tally(row: &Row) -> Result<(WindowStart, PairTally), Unreadable> {
    let tally = PairTally {
        degraded: narrow::<i64, u32>(row, 1)?,
        healthy: narrow::<i64, u32>(row, 2)?,
        unjudged: narrow::<i64, u32>(row, 3)?,
        unmeasured: narrow::<i64, u32>(row, 4)?,
    };
    Ok((window(row, 0)?, tally))
}

fn maintenance(row: &Row) -> Result<MaintenanceWindow, Unreadable> {
    Ok(MaintenanceWindow {
        id: row.try_get(0)?,
        from_ms: unix_ms(row.try_get(1)?),
        to_ms: unix_ms(row.try_get(2)?),
        cause: cause(row, 3)?,
        author: text(row, 5)?,
        text: text(row, 6)?,
        written_at_ms: unix_ms(row.try_get(7)?),
    })
}

/// The two columns of a cause, from this one on.
fn cause(row: &Row, first: usize) -> Result<Cause, Unreadable> {
    Ok(Cause {
        dimension: known(row.try_get(first)?, Dimension::parse)?,
        value: known(row.try_get(first + 1)?, |text| serde_json::from_str(text).ok())?,
    })
}

/// Pairs for and against, in two columns.
fn weight(row: &Row, first: usize) -> Result<Weight, Unreadable> {
    Ok(Weight { degraded: narrow::<i64, u32>(row, first)?, healthy: narrow::<i64, u32>(row, first + 1)? })
}

fn text(row: &Row, column: usize) -> Result<Arc<str>, Unreadable> {
    Ok(row.try_get::<_, &str>(column)?.into())
}

fn some_text(row: &Row, column: usize) -> Result<Option<Arc<str>>, Unreadable> {
    Ok(row.try_get::<_, Option<&str>>(column)?.map(Arc::from))
}

fn window(row: &Row, column: usize) -> Result<WindowStart, Unreadable> {
    Ok(WindowStart::from_ms(unix_ms(row.try_get(column)?)))
}

fn log_time(row: &Row, column: usize) -> Result<LogTime, Unreadable> {
    Ok(LogTime::from_ms(unix_ms(row.try_get(column)?)))
}
