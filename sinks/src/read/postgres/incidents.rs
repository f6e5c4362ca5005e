//! Incidents, pairs that miss their rhythm, and planned faults.

use netqoe_model::{
    IncidentId, IncidentMember, IncidentRevision, LogTime, MaintenanceWindow, PairTally, Unmeasured, WindowStart,
};
use postgres::Row;

use super::LABELLED;
use super::pool::State;
use crate::incident_columns::{Columns, revision};
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::incidents::statements::Newest;
use crate::read::incidents::{
    IncidentFilter, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition, NoteRecord, Paged, UnmeasuredFilter,
    member, record, record_then, statements, tally,
};
use crate::read::statement::Statement;
use crate::read::{Names, Page, Pair, ReadError};

impl Incidents for State<'_> {
    fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentRecord>, ReadError> {
        let found = self.found(&query.filter, &statements::incidents(query, LABELLED), record)?;
        Ok(Page::of(found, query.page.limit))
    }

    fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, ReadError> {
        Ok(self.of(id, &statements::incident(id), record)?.pop())
    }

    fn incidents_then(&self, query: &IncidentQuery, then: LogTime) -> Result<Page<IncidentRecord>, ReadError> {
        let found = self.found(
            &query.filter,
            &statements::incidents_then(query, then, Newest::LATERAL, LABELLED),
            record_then,
        )?;
        Ok(Page::of(found, query.page.limit))
    }

    fn incident_then(&self, id: &str, then: LogTime) -> Result<Option<IncidentRecord>, ReadError> {
        Ok(self.of(id, &statements::incident_then(id, then, Newest::LATERAL), record_then)?.pop())
    }

    fn gravest(&self, filter: &IncidentFilter, limit: u16) -> Result<Vec<IncidentRecord>, ReadError> {
        self.found(filter, &statements::gravest(filter, limit, LABELLED), record)
    }

    fn count(&self, filter: &IncidentFilter) -> Result<u64, ReadError> {
        let count = self.found(filter, &statements::count(filter, LABELLED), |row| narrow::<i64, u64>(row, 0))?.pop();
        Ok(count.unwrap_or_default())
    }

    fn revisions(&self, id: &str, limit: u16) -> Result<Vec<IncidentRevision>, ReadError> {
        self.of(id, &statements::revisions(id, limit), revision)
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
        Ok(self.read(&statements::last_closed(until), |row| row.log_time(0))?.pop())
    }

    fn unmeasured(&self, filter: &UnmeasuredFilter, page: &Paged<Pair>) -> Result<Page<Unmeasured>, ReadError> {
        let mut names = Names::default();
        let statement = statements::unmeasured(filter, page, LABELLED);
        let found =
            self.named([&filter.client_id, &filter.target], &statement, |row| unmeasured(row, &mut names).map(Some))?;
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

fn note(row: &Row) -> Result<NoteRecord, Unreadable> {
    Ok(NoteRecord {
        id: row.try_get(0)?,
        at_ms: unix_ms(row.try_get(1)?),
        by: row.try_get(2)?,
        acknowledges: row.try_get(3)?,
        text: row.try_get(4)?,
    })
}

fn unmeasured(row: &Row, names: &mut Names) -> Result<Unmeasured, Unreadable> {
    let Pair { client_id, target } = names.pair(row.try_get(0)?, row.try_get(1)?);
    let [isp, site]: [Option<&str>; 2] = [row.try_get(4)?, row.try_get(5)?];
    Ok(Unmeasured {
        client_id,
        target,
        last: row.window(2)?,
        rhythm_ms: row.try_get(3)?,
        isp: isp.map(|name| names.shared(name)),
        site: site.map(|name| names.shared(name)),
    })
}

fn maintenance(row: &Row) -> Result<MaintenanceWindow, Unreadable> {
    Ok(MaintenanceWindow {
        id: row.try_get(0)?,
        from_ms: unix_ms(row.try_get(1)?),
        to_ms: unix_ms(row.try_get(2)?),
        cause: row.cause(3)?,
        author: row.text(5)?.into(),
        text: row.text(6)?.into(),
        written_at_ms: unix_ms(row.try_get(7)?),
    })
}
