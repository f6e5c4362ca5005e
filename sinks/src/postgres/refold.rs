//! What incidents are found again from, in a PostgreSQL database.

use std::sync::Arc;
use std::time::SystemTime;

use netqoe_model::{Generation, Incident, IncidentId, IncidentMember, LogTime, Unmeasured, WindowStart};
use postgres::types::Type;
use postgres::{Row, Transaction};

use super::fleet::keep_state;
use super::window::{narrow, timestamptz, unix_ms};
use super::{Failure, PostgresStore, read_back};
use crate::incident_columns::{INCIDENT_COLUMNS, incident};
use crate::read::member;
use crate::{Corrections, RefoldStore, StoreError};

impl RefoldStore for PostgresStore {
    fn corrections_after(&mut self, reflected: i64) -> Result<Option<Corrections>, StoreError> {
        let read = self.transact(|transaction| {
            let any = "SELECT 1 FROM corrections WHERE id > $1 LIMIT 1";
            if transaction.query_typed_opt(any, &[(&reflected, Type::INT8)])?.is_none() {
                return Ok(None);
            }
            // A transaction that has taken a smaller number may not have ended. Once it has, no smaller one can come.
            transaction.batch_execute("LOCK TABLE corrections IN SHARE MODE")?;
            let row = transaction.query_typed_opt(
                "SELECT max(id), max(at), min(from_window), sum(accepted)::bigint FROM corrections WHERE id > $1",
                &[(&reflected, Type::INT8)],
            )?;
            row.map(|row| corrections(&row)).transpose()
        });
        read.map_err(|failure: Failure| self.link.error("read its corrections", failure))
    }

    fn fleet_state(&mut self, at: WindowStart) -> Result<Option<(WindowStart, Vec<u8>)>, StoreError> {
        let read = self.transact(|transaction| {
            let newest = transaction.query_typed_opt(
                "SELECT at, state FROM fleet_states WHERE at <= $1 ORDER BY at DESC LIMIT 1",
                &[(&timestamptz(at.ms()), Type::TIMESTAMPTZ)],
            )?;
            let row = match newest {
                Some(row) => Some(row),
                None => transaction.query_typed_opt("SELECT at, state FROM fleet_states ORDER BY at LIMIT 1", &[])?,
            };
            let state = |row: Row| Ok((WindowStart::from_ms(unix_ms(row.try_get(0)?)), row.try_get(1)?));
            row.map(state).transpose()
        });
        read.map_err(|failure: Failure| self.link.error("read back its incidents", failure))
    }

    fn forget_fleet_states(&mut self, generation: Generation, after: WindowStart) -> Result<(), StoreError> {
        self.fenced(generation, |transaction| {
            transaction.execute_typed(
                "DELETE FROM fleet_states WHERE at > $1",
                &[(&timestamptz(after.ms()), Type::TIMESTAMPTZ)],
            )?;
            Ok(())
        })
    }

    fn keep_fleet_state(&mut self, generation: Generation, at: WindowStart, state: &[u8]) -> Result<(), StoreError> {
        self.fenced(generation, |transaction| keep_state(transaction, at, state))
    }

    fn incidents_since(&mut self, after: WindowStart, ids: &[&IncidentId]) -> Result<Vec<Incident>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(|id| &*id.0).collect();
        let read = self.transact(|transaction| {
            let rows = transaction.query_typed(
                &format!(
                    "SELECT {INCIDENT_COLUMNS} FROM incidents WHERE as_of > $1 OR state = 'open' OR id = ANY ($2)"
                ),
                &[(&timestamptz(after.ms()), Type::TIMESTAMPTZ), (&ids, Type::TEXT_ARRAY)],
            )?;
            rows.iter().map(|row| Ok(incident(row)?)).collect()
        });
        read.map_err(|failure: Failure| self.link.error("read back its incidents", failure))
    }

    fn incident_members(&mut self, incident: &IncidentId) -> Result<Vec<IncidentMember>, StoreError> {
        let read = self.transact(|transaction| {
            let rows = transaction.query_typed(
                "SELECT client_id, target, since, until, severity FROM incident_members WHERE incident = $1",
                &[(&&*incident.0, Type::TEXT)],
            )?;
            rows.iter().map(|row| Ok(member(row, incident)?)).collect()
        });
        read.map_err(|failure: Failure| self.link.error("read back its incidents", failure))
    }

    fn unmeasured(&mut self) -> Result<Vec<Unmeasured>, StoreError> {
        let read = self.transact(|transaction| {
            let rows =
                transaction.query_typed("SELECT client_id, target, last, rhythm_ms, isp, site FROM unmeasured", &[])?;
            rows.iter().map(unmeasured).collect()
        });
        read.map_err(|failure: Failure| self.link.error("read back its incidents", failure))
    }
}

impl PostgresStore {
    fn fenced(
        &mut self,
        generation: Generation,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<(), Failure>,
    ) -> Result<(), StoreError> {
        let store = self.link.name().to_owned();
        let done = self.transact(|transaction| {
            read_back::current_until_end(transaction, &store, generation)?;
            work(transaction)
        });
        done.map_err(|failure: Failure| self.link.error("find its incidents again", failure))
    }
}

fn corrections(row: &Row) -> Result<Corrections, Failure> {
    Ok(Corrections {
        newest: row.try_get(0)?,
        at: LogTime::from_ms(unix_ms(row.try_get(1)?)),
        from: WindowStart::from_ms(unix_ms(row.try_get(2)?)),
        events: narrow::<i64, u64>(row, 3)?,
    })
}

fn unmeasured(row: &Row) -> Result<Unmeasured, Failure> {
    let text = |column: usize| -> Result<Option<Arc<str>>, Failure> {
        Ok(row.try_get::<_, Option<&str>>(column)?.map(Arc::from))
    };
    Ok(Unmeasured {
        client_id: row.try_get::<_, &str>(0)?.into(),
        target: row.try_get::<_, &str>(1)?.into(),
        last: WindowStart::from_ms(unix_ms(row.try_get::<_, SystemTime>(2)?)),
        rhythm_ms: narrow::<i64, i64>(row, 3)?,
        isp: text(4)?,
        site: text(5)?,
    })
}
