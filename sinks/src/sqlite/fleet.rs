//! Looks and incidents in a SQLite file.

use netqoe_model::{Generation, IncidentMember, LogTime, Look, WindowStart};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Failure, SqliteStore, read_back};
use crate::fleet::{COUNT_OPEN, Merged, incident_to_json, oldest_unacknowledged, read_kind, read_look, value_to_json};
use crate::{FleetCommit, FleetResume, FleetStore, Kept, OpenIncidents, StoreError};

/// Members that one transaction writes: some milliseconds.
const MEMBERS_PER_TRANSACTION: usize = 1_000;

/// Writes looks, in the place of what they were. One that shows nothing goes.
pub(super) fn put_looks(transaction: &Connection, looks: &[Look]) -> rusqlite::Result<()> {
    let mut upsert =
        transaction.prepare_cached("INSERT OR REPLACE INTO looks (at, partition, sightings) VALUES (?1, ?2, ?3)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM looks WHERE at = ?1 AND partition = ?2")?;
    for look in looks {
        if look.sightings.is_empty() {
            delete.execute(params![look.at.ms(), look.partition.0])?;
            continue;
        }
        upsert.execute(params![look.at.ms(), look.partition.0, look.sightings_to_bytes()])?;
    }
    Ok(())
}

impl SqliteStore {
    /// Reads, without a transaction of its own: whoever writes goes on meanwhile.
    pub(super) fn read<T>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Connection, &str) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        read(&self.connection, &self.file.name()).map_err(|failure| self.file.failure(doing, failure))
    }
}

impl FleetStore for SqliteStore {
    fn resume_fleet(&mut self, generation: Generation) -> Result<FleetResume, StoreError> {
        self.transact("read back its incidents", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            let one = |sql| transaction.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
            let kept = one("SELECT max(at) FROM fleet_states")?.map(WindowStart::from_ms);
            let row = transaction
                .query_row("SELECT through, state_at, state, corrected FROM fleet", [], |row| {
                    let state_at: Option<i64> = row.get(1)?;
                    let state: Option<Vec<u8>> = row.get(2)?;
                    Ok(FleetResume {
                        through: Some(WindowStart::from_ms(row.get(0)?)),
                        state: state_at.map(WindowStart::from_ms).zip(state),
                        corrected: row.get(3)?,
                        kept,
                    })
                })
                .optional()?;
            // Looks that no incident reflects are folded as they are corrected.
            let newest = || one("SELECT max(id) FROM corrections").map(Option::unwrap_or_default);
            Ok(match row {
                Some(resume) => resume,
                None => FleetResume { corrected: newest()?, kept, ..FleetResume::default() },
            })
        })
    }

    fn looks(
        &mut self,
        after: Option<WindowStart>,
        through: WindowStart,
        most_bytes: usize,
    ) -> Result<Vec<Look>, StoreError> {
        self.read("read its looks", |connection, store| {
            let mut statement = connection.prepare_cached(
                "SELECT at, partition, sightings FROM looks WHERE at > ?1 AND at <= ?2 ORDER BY at, partition",
            )?;
            let mut rows = statement.query(params![after.map_or(i64::MIN, WindowStart::ms), through.ms()])?;
            let (mut looks, mut bytes) = (Vec::<Look>::new(), 0);
            while let Some(row) = rows.next()? {
                let at = WindowStart::from_ms(row.get(0)?);
                if bytes > most_bytes && looks.last().is_some_and(|last| last.at < at) {
                    break;
                }
                let sightings = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
                bytes += sightings.len();
                looks.push(read_look(store, at, row.get(1)?, sightings)?);
            }
            Ok(looks)
        })
    }

    fn commit_fleet(&mut self, generation: Generation, commit: &FleetCommit) -> Result<(), StoreError> {
        let (updated_at, merged) = ((self.clock)(), Merged::of(commit));
        // While a transaction writes, no other does: rows that wait for a place in the file would wait for all members of a great
        // incident. So these come first, some at a time. Until the incident that they belong to is committed nobody is told of
        // it, and a start after a crash finds the same members again.
        for portion in merged.members.chunks(MEMBERS_PER_TRANSACTION) {
            self.transact("commit members of incidents", |transaction, file| {
                read_back::current(transaction, file, generation)?;
                Ok(write_members(transaction, portion)?)
            })?;
        }
        self.transact("commit incidents", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            write_incidents(transaction, &merged, updated_at)?;
            write_revisions(transaction, &merged)?;
            write_unmeasured(transaction, &merged)?;
            delete_members(transaction, commit)?;
            write_progress(transaction, commit)?;
            Ok(())
        })
    }

    fn start_fleet_anew(&mut self, generation: Generation, at: WindowStart, because: &str) -> Result<(), StoreError> {
        let updated_at = (self.clock)();
        self.transact("start its incidents anew", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            start_anew(transaction, at, because, updated_at)?;
            // They are of other rules.
            Ok(transaction.execute_batch("DELETE FROM fleet_states")?)
        })
    }

    fn open_incidents(&mut self) -> Result<OpenIncidents, StoreError> {
        self.read("count its incidents", |connection, store| {
            let mut statement = connection.prepare_cached(COUNT_OPEN)?;
            let (mut rows, mut counts) = (statement.query([])?, Vec::new());
            while let Some(row) = rows.next()? {
                let (label, severity): (String, String) = (row.get(0)?, row.get(1)?);
                let (label, severity) = read_kind(store, &label, &severity)?;
                counts.push((label, severity, row.get(2)?));
            }
            let mut oldest = connection.prepare_cached(&oldest_unacknowledged("acknowledges = 1"))?;
            let oldest: Option<i64> = oldest.query_row([], |row| row.get(0))?;
            Ok(OpenIncidents { counts, oldest_unacknowledged: oldest.map(LogTime::from_ms) })
        })
    }
}

/// Writes incidents, in the place of what they were.
fn write_incidents(transaction: &Connection, merged: &Merged<'_>, updated_at: i64) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO incidents
             (id, label, cause_dimension, cause_value, state, withdrawn_because, opened, detected, named, last, closed,
              severity, peak_severity, degraded_at_first, healthy_at_first, degraded_now, healthy_now, pairs, clients,
              targets, revision, as_of, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                 ?23)",
    )?;
    for incident in &merged.incidents {
        upsert.execute(params![
            &*incident.id.0,
            incident.label.as_str(),
            incident.cause.dimension_name().to_string(),
            value_to_json(&incident.cause),
            incident.state.as_str(),
            incident.withdrawn_because.as_deref(),
            incident.opened.ms(),
            incident.detected.ms(),
            incident.named.ms(),
            incident.last.ms(),
            incident.closed.map(LogTime::ms),
            incident.severity.as_str(),
            incident.peak_severity.as_str(),
            incident.at_first.degraded,
            incident.at_first.healthy,
            incident.now.degraded,
            incident.now.healthy,
            incident.pairs,
            incident.clients,
            incident.targets,
            incident.revision,
            incident.as_of.ms(),
            updated_at,
        ])?;
    }
    Ok(())
}

fn write_members(transaction: &Connection, members: &[&IncidentMember]) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO incident_members (incident, client_id, target, since, until, severity)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for member in members {
        upsert.execute(params![
            &*member.incident.0,
            &*member.client_id,
            &*member.target,
            member.since.ms(),
            member.until.map(WindowStart::ms),
            member.severity.as_str(),
        ])?;
    }
    Ok(())
}

fn write_revisions(transaction: &Connection, merged: &Merged<'_>) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO incident_revisions
             (incident, revision, at, change, cause_dimension, cause_value, severity, degraded, state, because, label,
              closed, incident_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for (revision, incident) in &merged.revisions {
        upsert.execute(params![
            &*revision.incident.0,
            revision.revision,
            revision.at.ms(),
            revision.change.as_str(),
            revision.cause.dimension_name().to_string(),
            value_to_json(&revision.cause),
            revision.severity.as_str(),
            revision.degraded,
            revision.state.as_str(),
            revision.because.as_deref(),
            incident.map(|incident| incident.label.as_str()),
            incident.and_then(|incident| incident.closed).map(LogTime::ms),
            incident.map(incident_to_json),
        ])?;
    }
    Ok(())
}

fn delete_members(transaction: &Connection, commit: &FleetCommit) -> rusqlite::Result<()> {
    let mut delete = transaction
        .prepare_cached("DELETE FROM incident_members WHERE incident = ?1 AND client_id = ?2 AND target = ?3")?;
    for (incident, client_id, target) in &commit.members_gone {
        delete.execute([&*incident.0, client_id, target])?;
    }
    Ok(())
}

pub(super) fn keep_state(transaction: &Connection, at: WindowStart, state: &[u8]) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached("INSERT OR REPLACE INTO fleet_states (at, state) VALUES (?1, ?2)")?;
    upsert.execute(params![at.ms(), state]).map(drop)
}

fn write_unmeasured(transaction: &Connection, merged: &Merged<'_>) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM unmeasured WHERE client_id = ?1 AND target = ?2")?;
    for (client_id, target) in &merged.measured {
        delete.execute([client_id, target])?;
    }
    let mut upsert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO unmeasured (client_id, target, last, rhythm_ms, isp, site)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for pair in &merged.unmeasured {
        let (isp, site) = (pair.isp.as_deref(), pair.site.as_deref());
        upsert.execute(params![&*pair.client_id, &*pair.target, pair.last.ms(), pair.rhythm_ms, isp, site])?;
    }
    Ok(())
}

/// Writes how far incidents reflect the looks, and deletes the looks that neither a start nor a correction needs.
fn write_progress(transaction: &Connection, commit: &FleetCommit) -> rusqlite::Result<()> {
    let state = commit.state.as_ref();
    transaction
        .prepare_cached(
            "INSERT INTO fleet (only_row, through, state_at, state, degraded, healthy, unjudged, unmeasured, corrected)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET
                 through = excluded.through, state_at = coalesce(excluded.state_at, state_at),
                 state = coalesce(excluded.state, state), degraded = excluded.degraded, healthy = excluded.healthy,
                 unjudged = excluded.unjudged, unmeasured = excluded.unmeasured, corrected = excluded.corrected",
        )?
        .execute(params![
            commit.through.ms(),
            state.map(|(at, _)| at.ms()),
            state.map(|(_, bytes)| bytes),
            commit.tally.degraded,
            commit.tally.healthy,
            commit.tally.unjudged,
            commit.tally.unmeasured,
            commit.corrected,
        ])?;
    if let Some(kept) = &commit.kept {
        kept.states.iter().try_for_each(|(at, state)| keep_state(transaction, *at, state))?;
    }
    state.map_or(Ok(()), |(at, _)| delete_looks(transaction, *at, commit.kept.as_ref()))
}

/// Deletes the looks that the state reflects, and of those kept for corrections the ones that are too old.
fn delete_looks(transaction: &Connection, state_at: WindowStart, kept: Option<&Kept>) -> rusqlite::Result<()> {
    let Some(kept) = kept else {
        transaction.prepare_cached("DELETE FROM looks WHERE at <= ?1")?.execute([state_at.ms()])?;
        // Those of a time in which corrections were possible.
        return transaction.prepare_cached("DELETE FROM fleet_states")?.execute([]).map(drop);
    };
    let oldest: Option<i64> = transaction
        .prepare_cached("SELECT max(at) FROM fleet_states WHERE at <= ?1")?
        .query_row([kept.since.min(state_at).ms()], |row| row.get(0))?;
    transaction.prepare_cached("DELETE FROM fleet_states WHERE at < ?1")?.execute([oldest])?;
    transaction.prepare_cached("DELETE FROM looks WHERE at <= ?1")?.execute([oldest])?;
    Ok(())
}

/// Withdraws what is open, and forgets how far incidents reflect the looks.
pub(super) fn start_anew(
    transaction: &Connection,
    at: WindowStart,
    because: &str,
    updated_at: i64,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO incident_revisions
             (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
         SELECT id, revision + 1, ?1, 'withdrawn', cause_dimension, cause_value, severity, degraded_now
         FROM incidents WHERE state = 'open'
         ON CONFLICT DO NOTHING",
        [at.ms()],
    )?;
    transaction.execute(
        "UPDATE incidents SET state = 'withdrawn', withdrawn_because = ?1, closed = ?2, as_of = ?2,
             revision = revision + 1, updated_at = ?3
         WHERE state = 'open'",
        params![because, at.ms(), updated_at],
    )?;
    // Members that a crash has left behind without their incident.
    // Looks that the state reflects are there for corrections alone.
    transaction.execute_batch(
        "DELETE FROM incident_members WHERE incident NOT IN (SELECT id FROM incidents);
         DELETE FROM looks WHERE at <= (SELECT state_at FROM fleet); DELETE FROM unmeasured; DELETE FROM fleet;",
    )
}
