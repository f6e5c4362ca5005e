//! Incidents, pairs that miss their rhythm, and planned faults.

use netqoe_model::{
    IncidentId, IncidentMember, IncidentRevision, LogTime, MaintenanceWindow, PairTally, Unmeasured, WindowStart,
};
use rusqlite::Row;

use super::LABELLED;
use super::connections::State;
use super::execute::rows;
use crate::incident_columns::{Columns, revision};
use crate::read::incidents::statements::Newest;
use crate::read::incidents::{
    IncidentFilter, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition, NoteRecord, Paged, UnmeasuredFilter,
    member, record, record_then, statements, tally,
};
use crate::read::statement::Statement;
use crate::read::{Names, Page, Pair, ReadError};

impl Incidents for State<'_> {
    fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentRecord>, ReadError> {
        Ok(Page::of(self.all(&statements::incidents(query, LABELLED), |row| record(row))?, query.page.limit))
    }

    fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, ReadError> {
        Ok(self.all(&statements::incident(id), |row| record(row))?.pop())
    }

    fn incidents_then(&self, query: &IncidentQuery, then: LogTime) -> Result<Page<IncidentRecord>, ReadError> {
        let found =
            self.all(&statements::incidents_then(query, then, Newest::BY_KEY, LABELLED), |row| record_then(row))?;
        Ok(Page::of(found, query.page.limit))
    }

    fn incident_then(&self, id: &str, then: LogTime) -> Result<Option<IncidentRecord>, ReadError> {
        Ok(self.all(&statements::incident_then(id, then, Newest::BY_KEY), |row| record_then(row))?.pop())
    }

    fn gravest(&self, filter: &IncidentFilter, limit: u16) -> Result<Vec<IncidentRecord>, ReadError> {
        self.all(&statements::gravest(filter, limit, LABELLED), |row| record(row))
    }

    fn count(&self, filter: &IncidentFilter) -> Result<u64, ReadError> {
        Ok(self.all(&statements::count(filter, LABELLED), |row| row.get(0))?.pop().unwrap_or_default())
    }

    fn revisions(&self, id: &str, limit: u16) -> Result<Vec<IncidentRevision>, ReadError> {
        self.all(&statements::revisions(id, limit), |row| revision(row))
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

    fn unmeasured(&self, filter: &UnmeasuredFilter, page: &Paged<Pair>) -> Result<Page<Unmeasured>, ReadError> {
        let mut names = Names::default();
        let found = self.all(&statements::unmeasured(filter, page, LABELLED), |row| unmeasured(row, &mut names))?;
        Ok(Page::of(found, page.limit))
    }

    fn tally(&self) -> Result<Option<(WindowStart, PairTally)>, ReadError> {
        Ok(self.all(&statements::tally(), |row| tally(row))?.pop())
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

fn note(row: &Row<'_>) -> rusqlite::Result<NoteRecord> {
    Ok(NoteRecord {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        by: row.get(2)?,
        acknowledges: row.get(3)?,
        text: row.get(4)?,
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

fn maintenance(row: &Row<'_>) -> rusqlite::Result<MaintenanceWindow> {
    Ok(MaintenanceWindow {
        id: row.get(0)?,
        from_ms: row.get(1)?,
        to_ms: row.get(2)?,
        cause: row.cause(3)?,
        author: row.get(5)?,
        text: row.get(6)?,
        written_at_ms: row.get(7)?,
    })
}
