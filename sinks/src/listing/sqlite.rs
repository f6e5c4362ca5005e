use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, params};

use super::{ListedIncident, ListedRange, OnIncident, cause_value};
use crate::StoreError;
use crate::sqlite::StoreFile;

const INCIDENTS: &str =
    "SELECT id, label, cause_dimension, cause_value, opened, detected, named, closed, severity, state
    FROM incidents
    WHERE (?1 IS NULL OR closed IS NULL OR closed > ?1) AND (?2 IS NULL OR opened < ?2) AND (?3 IS NULL OR state = ?3)
    ORDER BY opened, id";

const MEMBERS: &str = "SELECT client_id, target FROM incident_members WHERE incident = ?1 ORDER BY client_id, target";

pub(super) fn list<E: From<StoreError>>(path: &Path, range: &ListedRange, each: OnIncident<'_, E>) -> Result<(), E> {
    let file = StoreFile::new(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let unreadable = |error: &rusqlite::Error| file.error("list its incidents", error);
    let mut connection =
        Connection::open_with_flags(path, flags).map_err(|error| file.opening_error("be opened", &error))?;
    // One state of the file for all of it.
    let snapshot = connection.transaction().map_err(|error| unreadable(&error))?;
    let mut incidents = snapshot.prepare(INCIDENTS).map_err(|error| unreadable(&error))?;
    let mut members = snapshot.prepare(MEMBERS).map_err(|error| unreadable(&error))?;
    let state = range.state.map(netqoe_model::IncidentState::as_str);
    let mut rows = incidents.query(params![range.from_ms, range.to_ms, state]).map_err(|error| unreadable(&error))?;
    while let Some(row) = rows.next().map_err(|error| unreadable(&error))? {
        let (mut incident, value) = read(row).map_err(|error| unreadable(&error))?;
        incident.cause_value = cause_value(&file.name(), &value)?;
        let of_incident = members.query_map([&incident.id], |row| Ok((row.get(0)?, row.get(1)?)));
        incident.members = of_incident.and_then(Iterator::collect).map_err(|error| unreadable(&error))?;
        each(incident)?;
    }
    Ok(())
}

/// An incident without its members, and the value of its cause as it stands there.
fn read(row: &Row<'_>) -> rusqlite::Result<(ListedIncident, String)> {
    let incident = ListedIncident {
        id: row.get(0)?,
        label: row.get(1)?,
        cause_dimension: row.get(2)?,
        cause_value: Vec::new(),
        opened_ms: row.get(4)?,
        detected_ms: row.get(5)?,
        named_ms: row.get(6)?,
        closed_ms: row.get(7)?,
        severity: row.get(8)?,
        state: row.get(9)?,
        members: Vec::new(),
    };
    Ok((incident, row.get(3)?))
}
