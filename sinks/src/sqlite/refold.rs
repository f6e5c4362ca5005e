//! What incidents are found again from, in a SQLite file.

use std::sync::Arc;

use netqoe_model::{Generation, Incident, IncidentId, IncidentMember, LogTime, Unmeasured, WindowStart};
use rusqlite::{OptionalExtension, Row, ToSql, params};

use super::fleet::keep_state;
use super::{Failure, SqliteStore, read_back};
use crate::incident_columns::{INCIDENT_COLUMNS, incident};
use crate::read::member;
use crate::{Corrections, RefoldStore, StoreError};

impl RefoldStore for SqliteStore {
    fn corrections_after(&mut self, reflected: i64) -> Result<Option<Corrections>, StoreError> {
        self.read("read its corrections", |connection, _| {
            let mut all = connection.prepare_cached(
                "SELECT max(id), max(at), min(from_window), coalesce(sum(accepted), 0) FROM corrections WHERE id > ?1",
            )?;
            Ok(all.query_row([reflected], |row| {
                let Some(newest) = row.get(0)? else { return Ok(None) };
                let (at, from) = (LogTime::from_ms(row.get(1)?), WindowStart::from_ms(row.get(2)?));
                Ok(Some(Corrections { newest, at, from, events: row.get(3)? }))
            })?)
        })
    }

    fn fleet_state(&mut self, at: WindowStart) -> Result<Option<(WindowStart, Vec<u8>)>, StoreError> {
        self.read("read back its incidents", |connection, _| {
            let one = |sql, parameter: &[&dyn ToSql]| {
                let state =
                    connection.query_row(sql, parameter, |row| Ok((WindowStart::from_ms(row.get(0)?), row.get(1)?)));
                state.optional()
            };
            let newest =
                one("SELECT at, state FROM fleet_states WHERE at <= ?1 ORDER BY at DESC LIMIT 1", &[&at.ms()])?;
            let oldest = || one("SELECT at, state FROM fleet_states ORDER BY at LIMIT 1", &[]);
            Ok(newest.map_or_else(oldest, |state| Ok(Some(state)))?)
        })
    }

    fn forget_fleet_states(&mut self, generation: Generation, after: WindowStart) -> Result<(), StoreError> {
        self.transact("find its incidents again", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            transaction.execute("DELETE FROM fleet_states WHERE at > ?1", [after.ms()])?;
            Ok(())
        })
    }

    fn keep_fleet_state(&mut self, generation: Generation, at: WindowStart, state: &[u8]) -> Result<(), StoreError> {
        self.transact("find its incidents again", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            Ok(keep_state(transaction, at, state)?)
        })
    }

    fn incidents_since(&mut self, after: WindowStart, ids: &[&IncidentId]) -> Result<Vec<Incident>, StoreError> {
        let ids = serde_json::json!(ids).to_string();
        self.read("read back its incidents", |connection, store| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {INCIDENT_COLUMNS} FROM incidents
                 WHERE as_of > ?1 OR state = 'open' OR id IN (SELECT value FROM json_each(?2))"
            ))?;
            let found = statement.query_map(params![after.ms(), ids], |row| incident(row))?;
            found.map(|incident| incident.map_err(|error| content(store, error))).collect()
        })
    }

    fn incident_members(&mut self, incident: &IncidentId) -> Result<Vec<IncidentMember>, StoreError> {
        self.read("read back its incidents", |connection, store| {
            let mut statement = connection.prepare_cached(
                "SELECT client_id, target, since, until, severity FROM incident_members WHERE incident = ?1",
            )?;
            let found = statement.query_map([&*incident.0], |row| member(row, incident))?;
            found.map(|member| member.map_err(|error| content(store, error))).collect()
        })
    }

    fn unmeasured(&mut self) -> Result<Vec<Unmeasured>, StoreError> {
        self.read("read back its incidents", |connection, _| {
            let mut statement =
                connection.prepare_cached("SELECT client_id, target, last, rhythm_ms, isp, site FROM unmeasured")?;
            let found = statement.query_map([], unmeasured)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// A value that is none of ours is the content's fault, and everything else is the file's.
fn content(store: &str, error: rusqlite::Error) -> Failure {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, what) => {
            Failure::Store(StoreError::Content { store: store.to_owned(), what: what.to_string() })
        }
        error => error.into(),
    }
}

fn unmeasured(row: &Row<'_>) -> rusqlite::Result<Unmeasured> {
    let text =
        |column| -> rusqlite::Result<Option<Arc<str>>> { Ok(row.get::<_, Option<String>>(column)?.map(Arc::from)) };
    Ok(Unmeasured {
        client_id: row.get::<_, String>(0)?.into(),
        target: row.get::<_, String>(1)?.into(),
        last: WindowStart::from_ms(row.get(2)?),
        rhythm_ms: row.get(3)?,
        isp: text(4)?,
        site: text(5)?,
    })
}
