//! Looks and incidents in a PostgreSQL database.

use std::time::SystemTime;

use netqoe_model::{Generation, LogTime, Look, WindowStart};
use postgres::Transaction;
use postgres::types::Type;

use super::window::{narrow, timestamptz, unix_ms};
use super::write::{Parameter, ROWS_PER_STATEMENT, each};
use super::{Failure, PostgresStore, read_back};
use crate::fleet::{COUNT_OPEN, Merged, incident_to_json, oldest_unacknowledged, read_kind, read_look, value_to_json};
use crate::{FleetCommit, FleetResume, FleetStore, Kept, OpenIncidents, StoreError};

/// Looks in one statement: those of some hours of all partitions, mostly.
const LOOKS_PER_STATEMENT: usize = 1_000;

/// Minutes of which it is looked how many bytes their looks have, at a time: a day.
const MINUTES_AT_ONCE: i64 = 1_440;

/// Before all times that are written: PostgreSQL knows none before the year -4713.
const BEGINNING_MS: i64 = -62_135_596_800_000;

/// Writes looks, in the place of what they were. One that shows nothing goes.
pub(super) fn put_looks<'a>(
    transaction: &mut Transaction<'_>,
    looks: impl Iterator<Item = &'a Look>,
) -> Result<(), Failure> {
    let (looks, empty): (Vec<&Look>, Vec<&Look>) = looks.partition(|look| !look.sightings.is_empty());
    for looks in empty.chunks(LOOKS_PER_STATEMENT) {
        let ats = each(looks, |look| timestamptz(look.at.ms()));
        let numbers = each(looks, |look| i32::from(look.partition.0));
        transaction.execute_typed(
            "DELETE FROM looks USING unnest($1, $2) AS gone (at, partition)
             WHERE looks.at = gone.at AND looks.partition = gone.partition",
            &[(&ats, Type::TIMESTAMPTZ_ARRAY), (&numbers, Type::INT4_ARRAY)],
        )?;
    }
    for looks in looks.chunks(LOOKS_PER_STATEMENT) {
        let ats = each(looks, |look| timestamptz(look.at.ms()));
        let numbers = each(looks, |look| i32::from(look.partition.0));
        let sightings = each(looks, |look| look.sightings_to_bytes());
        transaction.execute_typed(
            "INSERT INTO looks (at, partition, sightings) SELECT * FROM unnest($1, $2, $3)
             ON CONFLICT (at, partition) DO UPDATE SET sightings = excluded.sightings",
            &[(&ats, Type::TIMESTAMPTZ_ARRAY), (&numbers, Type::INT4_ARRAY), (&sightings, Type::BYTEA_ARRAY)],
        )?;
    }
    Ok(())
}

impl PostgresStore {
    fn try_commit_fleet(
        &mut self,
        generation: Generation,
        commit: &FleetCommit,
        merged: &Merged<'_>,
        updated_at: SystemTime,
    ) -> Result<(), Failure> {
        let store = self.link.name().to_owned();
        self.transact(|transaction| {
            read_back::current_until_end(transaction, &store, generation)?;
            write_incidents(transaction, merged, updated_at)?;
            write_members(transaction, merged)?;
            write_revisions(transaction, merged)?;
            write_unmeasured(transaction, merged)?;
            delete_members(transaction, commit)?;
            write_progress(transaction, commit)
        })
    }
}

impl FleetStore for PostgresStore {
    fn resume_fleet(&mut self, generation: Generation) -> Result<FleetResume, StoreError> {
        let store = self.link.name().to_owned();
        let read = self.transact(|transaction| {
            read_back::current(transaction, &store, generation)?;
            let at = |time| WindowStart::from_ms(unix_ms(time));
            let kept = transaction.query_typed_opt("SELECT max(at) FROM fleet_states", &[])?;
            let kept = kept.map_or(Ok(None), |row| row.try_get::<_, Option<SystemTime>>(0))?.map(at);
            let row = transaction.query_typed_opt("SELECT through, state_at, state, corrected FROM fleet", &[])?;
            let Some(row) = row else {
                // Looks that no incident reflects are folded as they are corrected.
                let newest =
                    transaction.query_typed_opt("SELECT coalesce(max(id), 0)::bigint FROM corrections", &[])?;
                let corrected = newest.map_or(Ok(0), |row| row.try_get(0))?;
                return Ok(FleetResume { corrected, kept, ..FleetResume::default() });
            };
            let state_at: Option<SystemTime> = row.try_get(1)?;
            let (through, state) = (Some(at(row.try_get(0)?)), state_at.map(at).zip(row.try_get(2)?));
            Ok(FleetResume { through, state, corrected: row.try_get(3)?, kept })
        });
        read.map_err(|failure| self.link.error("read back its incidents", failure))
    }

    fn looks(
        &mut self,
        after: Option<WindowStart>,
        through: WindowStart,
        most_bytes: usize,
    ) -> Result<Vec<Look>, StoreError> {
        let store = self.link.name().to_owned();
        let after = timestamptz(after.map_or(BEGINNING_MS, WindowStart::ms));
        let read = self.transact(|transaction| {
            let through = last_of_so_many_bytes(transaction, after, timestamptz(through.ms()), most_bytes)?;
            let rows = transaction.query_typed(
                "SELECT at, partition, sightings FROM looks WHERE at > $1 AND at <= $2 ORDER BY at, partition",
                &[(&after, Type::TIMESTAMPTZ), (&through, Type::TIMESTAMPTZ)],
            )?;
            let look = |row: &postgres::Row| {
                let at = WindowStart::from_ms(unix_ms(row.try_get(0)?));
                Ok(read_look(&store, at, narrow::<i32, u16>(row, 1)?, row.try_get(2)?)?)
            };
            rows.iter().map(look).collect()
        });
        read.map_err(|failure: Failure| self.link.error("read its looks", failure))
    }

    fn commit_fleet(&mut self, generation: Generation, commit: &FleetCommit) -> Result<(), StoreError> {
        let (updated_at, merged) = (timestamptz((self.clock)()), Merged::of(commit));
        let committed = self.try_commit_fleet(generation, commit, &merged, updated_at);
        committed.map_err(|failure| self.link.error("commit incidents", failure))
    }

    fn start_fleet_anew(&mut self, generation: Generation, at: WindowStart, because: &str) -> Result<(), StoreError> {
        let store = self.link.name().to_owned();
        let (at, updated_at) = (timestamptz(at.ms()), timestamptz((self.clock)()));
        let started = self.transact(|transaction| {
            read_back::current_until_end(transaction, &store, generation)?;
            transaction.execute_typed(
                "INSERT INTO incident_revisions
                     (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
                 SELECT id, revision + 1, $1, 'withdrawn', cause_dimension, cause_value, severity, degraded_now
                 FROM incidents WHERE state = 'open'
                 ON CONFLICT DO NOTHING",
                &[(&at, Type::TIMESTAMPTZ)],
            )?;
            transaction.execute_typed(
                "UPDATE incidents SET state = 'withdrawn', withdrawn_because = $1, closed = $2, as_of = $2,
                     revision = revision + 1, updated_at = $3
                 WHERE state = 'open'",
                &[(&because, Type::TEXT), (&at, Type::TIMESTAMPTZ), (&updated_at, Type::TIMESTAMPTZ)],
            )?;
            // Looks that the state reflects are there for corrections alone, and states kept for them are of other rules.
            Ok(transaction.batch_execute(
                "DELETE FROM looks WHERE at <= (SELECT state_at FROM fleet); DELETE FROM fleet_states;
                 DELETE FROM unmeasured; DELETE FROM fleet;",
            )?)
        });
        started.map_err(|failure: Failure| self.link.error("start its incidents anew", failure))
    }

    fn open_incidents(&mut self) -> Result<OpenIncidents, StoreError> {
        let store = self.link.name().to_owned();
        let counted = self.transact(|transaction| {
            let mut counts = Vec::new();
            for row in transaction.query_typed(COUNT_OPEN, &[])? {
                let (label, severity) = read_kind(&store, row.try_get(0)?, row.try_get(1)?)?;
                counts.push((label, severity, narrow::<i64, u64>(&row, 2)?));
            }
            let row = transaction.query_typed_opt(&oldest_unacknowledged("acknowledges"), &[])?;
            let oldest: Option<SystemTime> = row.map_or(Ok(None), |row| row.try_get(0))?;
            let oldest = oldest.map(|oldest| LogTime::from_ms(unix_ms(oldest)));
            Ok(OpenIncidents { counts, oldest_unacknowledged: oldest })
        });
        counted.map_err(|failure: Failure| self.link.error("count its incidents", failure))
    }
}

/// The last minute whose looks are read: the first one with which they have more than so many bytes.
fn last_of_so_many_bytes(
    transaction: &mut Transaction<'_>,
    after: SystemTime,
    through: SystemTime,
    most_bytes: usize,
) -> Result<SystemTime, Failure> {
    let minutes = transaction.query_typed(
        "SELECT at, sum(octet_length(sightings)) FROM looks WHERE at > $1 AND at <= $2
         GROUP BY at ORDER BY at LIMIT $3",
        &[(&after, Type::TIMESTAMPTZ), (&through, Type::TIMESTAMPTZ), (&MINUTES_AT_ONCE, Type::INT8)],
    )?;
    let (mut last, mut bytes) = (through, 0);
    for minute in minutes {
        last = minute.try_get(0)?;
        bytes += narrow::<i64, usize>(&minute, 1)?;
        if bytes > most_bytes {
            break;
        }
    }
    Ok(last)
}

/// Writes incidents, in the place of what they were.
fn write_incidents(
    transaction: &mut Transaction<'_>,
    merged: &Merged<'_>,
    updated_at: SystemTime,
) -> Result<(), Failure> {
    for incidents in merged.incidents.chunks(ROWS_PER_STATEMENT) {
        let dimensions = each(incidents, |it| it.cause.dimension_name().to_string());
        let texts = [
            each(incidents, |it| &*it.id.0),
            each(incidents, |it| it.label.as_str()),
            each(&dimensions, |dimension| &**dimension),
            each(incidents, |it| it.state.as_str()),
            each(incidents, |it| it.severity.as_str()),
            each(incidents, |it| it.peak_severity.as_str()),
        ];
        let values = each(incidents, |it| value_to_json(&it.cause));
        let because = each(incidents, |it| it.withdrawn_because.as_deref());
        let times = [
            each(incidents, |it| timestamptz(it.opened.ms())),
            each(incidents, |it| timestamptz(it.detected.ms())),
            each(incidents, |it| timestamptz(it.named.ms())),
            each(incidents, |it| timestamptz(it.last.ms())),
            each(incidents, |it| timestamptz(it.as_of.ms())),
        ];
        let closed = each(incidents, |it| it.closed.map(|closed| timestamptz(closed.ms())));
        let counts = [
            each(incidents, |it| i64::from(it.at_first.degraded)),
            each(incidents, |it| i64::from(it.at_first.healthy)),
            each(incidents, |it| i64::from(it.now.degraded)),
            each(incidents, |it| i64::from(it.now.healthy)),
            each(incidents, |it| i64::from(it.pairs)),
            each(incidents, |it| i64::from(it.clients)),
            each(incidents, |it| i64::from(it.targets)),
            each(incidents, |it| i64::from(it.revision)),
        ];
        let mut parameters: Vec<Parameter<'_>> = Vec::new();
        parameters.extend(texts.iter().map(|texts| -> Parameter<'_> { (texts, Type::TEXT_ARRAY) }));
        parameters.extend([(&values as _, Type::TEXT_ARRAY), (&because as _, Type::TEXT_ARRAY)]);
        parameters.extend(times.iter().map(|times| -> Parameter<'_> { (times, Type::TIMESTAMPTZ_ARRAY) }));
        parameters.push((&closed, Type::TIMESTAMPTZ_ARRAY));
        parameters.extend(counts.iter().map(|counts| -> Parameter<'_> { (counts, Type::INT8_ARRAY) }));
        parameters.push((&updated_at, Type::TIMESTAMPTZ));
        transaction.execute_typed(
            "INSERT INTO incidents
                 (id, label, cause_dimension, state, severity, peak_severity, cause_value, withdrawn_because, opened,
                  detected, named, last, as_of, closed, degraded_at_first, healthy_at_first, degraded_now, healthy_now,
                  pairs, clients, targets, revision, updated_at)
             SELECT *, $23 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                                       $19, $20, $21, $22)
             ON CONFLICT (id) DO UPDATE SET
                 (label, cause_dimension, state, severity, peak_severity, cause_value, withdrawn_because, opened,
                  detected, named, last, as_of, closed, degraded_at_first, healthy_at_first, degraded_now, healthy_now,
                  pairs, clients, targets, revision, updated_at)
                 = (excluded.label, excluded.cause_dimension, excluded.state, excluded.severity,
                    excluded.peak_severity, excluded.cause_value, excluded.withdrawn_because, excluded.opened,
                    excluded.detected, excluded.named, excluded.last, excluded.as_of, excluded.closed,
                    excluded.degraded_at_first, excluded.healthy_at_first, excluded.degraded_now,
                    excluded.healthy_now, excluded.pairs, excluded.clients, excluded.targets, excluded.revision,
                    excluded.updated_at)",
            &parameters,
        )?;
    }
    Ok(())
}

fn write_members(transaction: &mut Transaction<'_>, merged: &Merged<'_>) -> Result<(), Failure> {
    for members in merged.members.chunks(ROWS_PER_STATEMENT) {
        let names = [
            each(members, |it| &*it.incident.0),
            each(members, |it| &*it.client_id),
            each(members, |it| &*it.target),
            each(members, |it| it.severity.as_str()),
        ];
        let since = each(members, |it| timestamptz(it.since.ms()));
        let until = each(members, |it| it.until.map(|until| timestamptz(until.ms())));
        let mut parameters: Vec<Parameter<'_>> = Vec::new();
        parameters.extend(names.iter().map(|names| -> Parameter<'_> { (names, Type::TEXT_ARRAY) }));
        parameters.extend([(&since as _, Type::TIMESTAMPTZ_ARRAY), (&until as _, Type::TIMESTAMPTZ_ARRAY)]);
        transaction.execute_typed(
            "INSERT INTO incident_members (incident, client_id, target, severity, since, until)
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
             ON CONFLICT (incident, client_id, target) DO UPDATE SET
                 (severity, since, until) = (excluded.severity, excluded.since, excluded.until)",
            &parameters,
        )?;
    }
    Ok(())
}

fn write_revisions(transaction: &mut Transaction<'_>, merged: &Merged<'_>) -> Result<(), Failure> {
    for revisions in merged.revisions.chunks(ROWS_PER_STATEMENT) {
        let incidents = each(revisions, |(it, _)| &*it.incident.0);
        let numbers = each(revisions, |(it, _)| i64::from(it.revision));
        let ats = each(revisions, |(it, _)| timestamptz(it.at.ms()));
        let changes = each(revisions, |(it, _)| it.change.as_str());
        let dimensions = each(revisions, |(it, _)| it.cause.dimension_name().to_string());
        let values = each(revisions, |(it, _)| value_to_json(&it.cause));
        let severities = each(revisions, |(it, _)| it.severity.as_str());
        let degraded = each(revisions, |(it, _)| i64::from(it.degraded));
        let states = each(revisions, |(it, _)| it.state.as_str());
        let because = each(revisions, |(it, _)| it.because.as_deref());
        let labels = each(revisions, |(_, incident)| incident.map(|incident| incident.label.as_str()));
        let closed = each(revisions, |(_, incident)| {
            incident.and_then(|incident| incident.closed).map(|closed| timestamptz(closed.ms()))
        });
        let json = each(revisions, |(_, incident)| incident.map(incident_to_json));
        transaction.execute_typed(
            "INSERT INTO incident_revisions
                 (incident, revision, at, change, cause_dimension, cause_value, severity, degraded, state, because, label,
                  closed, incident_json)
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (incident, revision) DO UPDATE SET
                 (at, change, cause_dimension, cause_value, severity, degraded, state, because, label, closed,
                  incident_json)
                 = (excluded.at, excluded.change, excluded.cause_dimension, excluded.cause_value, excluded.severity,
                    excluded.degraded, excluded.state, excluded.because, excluded.label, excluded.closed,
                    excluded.incident_json)",
            &[
                (&incidents, Type::TEXT_ARRAY),
                (&numbers, Type::INT8_ARRAY),
                (&ats, Type::TIMESTAMPTZ_ARRAY),
                (&changes, Type::TEXT_ARRAY),
                (&dimensions, Type::TEXT_ARRAY),
                (&values, Type::TEXT_ARRAY),
                (&severities, Type::TEXT_ARRAY),
                (&degraded, Type::INT8_ARRAY),
                (&states, Type::TEXT_ARRAY),
                (&because, Type::TEXT_ARRAY),
                (&labels, Type::TEXT_ARRAY),
                (&closed, Type::TIMESTAMPTZ_ARRAY),
                (&json, Type::TEXT_ARRAY),
            ],
        )?;
    }
    Ok(())
}

fn delete_members(transaction: &mut Transaction<'_>, commit: &FleetCommit) -> Result<(), Failure> {
    for members in commit.members_gone.chunks(ROWS_PER_STATEMENT) {
        let incidents = each(members, |(incident, ..)| &*incident.0);
        let (client_ids, targets) =
            (each(members, |(_, client, _)| &**client), each(members, |(.., target)| &**target));
        transaction.execute_typed(
            "DELETE FROM incident_members AS member USING unnest($1, $2, $3) AS gone (incident, client_id, target)
             WHERE member.incident = gone.incident AND member.client_id = gone.client_id AND member.target = gone.target",
            &[(&incidents, Type::TEXT_ARRAY), (&client_ids, Type::TEXT_ARRAY), (&targets, Type::TEXT_ARRAY)],
        )?;
    }
    Ok(())
}

pub(super) fn keep_state(transaction: &mut Transaction<'_>, at: WindowStart, state: &[u8]) -> Result<(), Failure> {
    transaction.execute_typed(
        "INSERT INTO fleet_states (at, state) VALUES ($1, $2) ON CONFLICT (at) DO UPDATE SET state = excluded.state",
        &[(&timestamptz(at.ms()), Type::TIMESTAMPTZ), (&state, Type::BYTEA)],
    )?;
    Ok(())
}

fn write_unmeasured(transaction: &mut Transaction<'_>, merged: &Merged<'_>) -> Result<(), Failure> {
    for pairs in merged.measured.chunks(ROWS_PER_STATEMENT) {
        let (client_ids, targets) = (each(pairs, |pair| pair.0), each(pairs, |pair| pair.1));
        transaction.execute_typed(
            "DELETE FROM unmeasured USING unnest($1, $2) AS pair (client_id, target)
             WHERE unmeasured.client_id = pair.client_id AND unmeasured.target = pair.target",
            &[(&client_ids, Type::TEXT_ARRAY), (&targets, Type::TEXT_ARRAY)],
        )?;
    }
    for pairs in merged.unmeasured.chunks(ROWS_PER_STATEMENT) {
        let (client_ids, targets) = (each(pairs, |it| &*it.client_id), each(pairs, |it| &*it.target));
        let last = each(pairs, |it| timestamptz(it.last.ms()));
        let rhythms = each(pairs, |it| it.rhythm_ms);
        let (isps, sites) = (each(pairs, |it| it.isp.as_deref()), each(pairs, |it| it.site.as_deref()));
        transaction.execute_typed(
            "INSERT INTO unmeasured (client_id, target, last, rhythm_ms, isp, site)
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
             ON CONFLICT (client_id, target) DO UPDATE SET
                 (last, rhythm_ms, isp, site)
                 = (excluded.last, excluded.rhythm_ms, excluded.isp, excluded.site)",
            &[
                (&client_ids, Type::TEXT_ARRAY),
                (&targets, Type::TEXT_ARRAY),
                (&last, Type::TIMESTAMPTZ_ARRAY),
                (&rhythms, Type::INT8_ARRAY),
                (&isps, Type::TEXT_ARRAY),
                (&sites, Type::TEXT_ARRAY),
            ],
        )?;
    }
    Ok(())
}

/// Writes how far incidents reflect the looks, and deletes the looks that neither a start nor a correction needs.
fn write_progress(transaction: &mut Transaction<'_>, commit: &FleetCommit) -> Result<(), Failure> {
    let state_at = commit.state.as_ref().map(|(at, _)| timestamptz(at.ms()));
    let state = commit.state.as_ref().map(|(_, bytes)| &bytes[..]);
    let tally = [commit.tally.degraded, commit.tally.healthy, commit.tally.unjudged, commit.tally.unmeasured];
    let tally = tally.map(i64::from);
    let through = timestamptz(commit.through.ms());
    let mut parameters: Vec<Parameter<'_>> =
        vec![(&through, Type::TIMESTAMPTZ), (&state_at, Type::TIMESTAMPTZ), (&state, Type::BYTEA)];
    parameters.extend(tally.iter().map(|count| -> Parameter<'_> { (count, Type::INT8) }));
    parameters.push((&commit.corrected, Type::INT8));
    transaction.execute_typed(
        "INSERT INTO fleet AS stored
             (only_row, through, state_at, state, degraded, healthy, unjudged, unmeasured, corrected)
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (only_row) DO UPDATE SET
             (through, state_at, state, degraded, healthy, unjudged, unmeasured, corrected)
             = (excluded.through, coalesce(excluded.state_at, stored.state_at),
                coalesce(excluded.state, stored.state), excluded.degraded, excluded.healthy, excluded.unjudged,
                excluded.unmeasured, excluded.corrected)",
        &parameters,
    )?;
    if let Some(kept) = &commit.kept {
        kept.states.iter().try_for_each(|(at, state)| keep_state(transaction, *at, state))?;
    }
    match (&commit.state, &commit.kept) {
        (None, _) => Ok(()),
        (Some((at, _)), kept) => delete_looks(transaction, *at, kept.as_ref()),
    }
}

/// Deletes the looks that the state reflects, and of those kept for corrections the ones that are too old.
fn delete_looks(transaction: &mut Transaction<'_>, state_at: WindowStart, kept: Option<&Kept>) -> Result<(), Failure> {
    let Some(kept) = kept else {
        transaction
            .execute_typed("DELETE FROM looks WHERE at <= $1", &[(&timestamptz(state_at.ms()), Type::TIMESTAMPTZ)])?;
        // Those of a time in which corrections were possible.
        transaction.execute_typed("DELETE FROM fleet_states", &[])?;
        return Ok(());
    };
    let since = timestamptz(kept.since.min(state_at).ms());
    let oldest = transaction
        .query_typed_opt("SELECT max(at) FROM fleet_states WHERE at <= $1", &[(&since, Type::TIMESTAMPTZ)])?;
    let oldest: Option<SystemTime> = oldest.map_or(Ok(None), |row| row.try_get(0))?;
    transaction.execute_typed("DELETE FROM fleet_states WHERE at < $1", &[(&oldest, Type::TIMESTAMPTZ)])?;
    transaction.execute_typed("DELETE FROM looks WHERE at <= $1", &[(&oldest, Type::TIMESTAMPTZ)])?;
    Ok(())
}
