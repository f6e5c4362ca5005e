//! What a PostgreSQL server says of itself and of the tables of a store, for somebody to judge. Nothing is changed, and the schema stays as
//! it is found.

use std::collections::BTreeMap;

use netqoe_model::ClockDifference;
use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, IsolationLevel, Transaction};

use super::admission::{self, TABLES};
use super::link::Link;
use super::window::unix_ms;
use super::{Failure, PostgresOptions, schema, settings};
use crate::{Clock, StoreError};

/// Statements that are read: those that have taken the most time.
const STATEMENTS: i64 = 50;
/// Characters of a statement that are read: enough to tell it from others.
const STATEMENT_CHARACTERS: i32 = 2_000;

/// What there is to judge of a store in PostgreSQL.
#[derive(Clone, Debug, Default)]
pub struct PostgresReadings {
    /// As the server calls it, as `15.18`.
    pub version: String,
    /// The same as a number, as 150018.
    pub version_number: i64,
    /// Settings by their names, as they hold for this role and database.
    pub settings: BTreeMap<String, PostgresSetting>,
    /// Connections of clients that there are, this one included.
    pub connections: i64,
    /// The newest migration that was applied; none where the database has no schema of ours.
    pub schema_version: Option<i32>,
    /// The newest migration that this program knows.
    pub known_schema_version: i32,
    /// Tables of ours, each monthly partition for itself.
    pub tables: Vec<TableReading>,
    /// Indexes on these tables, without those that keep rows apart. Those of all partitions count as one.
    pub indexes: Vec<IndexReading>,
    /// Since when the server counts the uses of indexes, or a time after that, in Unix milliseconds.
    pub counted_since_ms: i64,
    /// Checkpoints that came by time, and those that came for other reasons, most often because the log was full.
    pub checkpoints: [i64; 2],
    /// The statements of this database that have taken the most time.
    pub statements: Statements,
    /// How its clock compares with ours.
    pub clock: ClockDifference,
}

/// A setting of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostgresSetting {
    /// In its unit.
    pub value: String,
    /// Such as `8kB` or `ms`; none for numbers, words and switches.
    pub unit: Option<String>,
    /// As people read it, such as `128MB`.
    pub shown: String,
}

/// A table, or a monthly partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableReading {
    /// Its name.
    pub name: String,
    /// Rows that can be seen, as the server estimates.
    pub live: i64,
    /// Versions of rows that nobody sees any more.
    pub dead: i64,
    /// When autovacuum was here last, in Unix milliseconds.
    pub vacuumed_ms: Option<i64>,
    /// Its own settings, each as `name=value`.
    pub options: Vec<String>,
}

/// An index that only serves to find rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexReading {
    /// Its name.
    pub name: String,
    /// The table that it is of.
    pub table: String,
    /// How often it was used.
    pub scans: i64,
    /// What it takes.
    pub bytes: i64,
}

/// What `pg_stat_statements` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Statements {
    /// The database does not have the extension.
    #[default]
    NotInstalled,
    /// The database has it, and the server has not loaded it, or the role may not ask it.
    NotToBeRead,
    /// These, the one that took most time first.
    Of(Vec<StatementReading>),
}

/// A statement that clients run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatementReading {
    /// Its text, in which the server has put `$1` for values. Not for all: see that none is shown.
    pub text: String,
    /// How often it ran.
    pub calls: i64,
    /// What all of that took.
    pub total_ms: f64,
}

impl PostgresReadings {
    /// Reads a store by its URL. `clock` is ours.
    ///
    /// # Errors
    /// Where the server can't be reached, or refuses.
    pub fn of(url: &str, options: &PostgresOptions, clock: &Clock) -> Result<Self, StoreError> {
        let mut link = Link::connect(url, options)?;
        read(&mut link, &settings(options), clock).map_err(|failure| link.error("say how it is set up", failure))
    }
}

fn read(link: &mut Link, limits: &str, clock: &Clock) -> Result<PostgresReadings, Failure> {
    let client = link.client()?;
    let clock = compare_clocks(client, clock)?;
    let versions = admission::versions(client, schema::HISTORY_TABLE)?;
    let known_schema_version = schema::known_version();
    let snapshot = client.build_transaction().read_only(true).isolation_level(IsolationLevel::RepeatableRead);
    let mut snapshot = snapshot.start()?;
    snapshot.batch_execute(limits)?;
    let (version, version_number) = server_version(&mut snapshot)?;
    let readings = PostgresReadings {
        version,
        version_number,
        settings: server_settings(&mut snapshot)?,
        connections: one(&mut snapshot, CONNECTIONS)?,
        schema_version: versions.last().copied(),
        known_schema_version,
        tables: tables(&mut snapshot)?,
        indexes: indexes(&mut snapshot)?,
        counted_since_ms: one(&mut snapshot, COUNTED_SINCE_MS)?,
        checkpoints: checkpoints(&mut snapshot)?,
        statements: Statements::NotInstalled,
        clock,
    };
    snapshot.commit()?;
    Ok(PostgresReadings { statements: statements(client, limits)?, ..readings })
}

fn compare_clocks(client: &mut Client, clock: &Clock) -> Result<ClockDifference, postgres::Error> {
    const NOW_MS: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let asked_ms = clock();
    let there_ms = client.query_typed(NOW_MS, &[])?[0].try_get(0)?;
    Ok(ClockDifference::between(asked_ms, there_ms, clock()))
}

const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";

/// Where nothing was ever reset, it counts for at least as long as it runs.
const COUNTED_SINCE_MS: &str =
    "SELECT (extract(epoch FROM coalesce(stats_reset, pg_postmaster_start_time())) * 1000)::bigint
    FROM pg_stat_database WHERE datname = current_database()";

fn one(snapshot: &mut Transaction<'_>, sql: &str) -> Result<i64, postgres::Error> {
    snapshot.query_typed(sql, &[])?.first().map_or(Ok(0), |row| row.try_get(0))
}

fn server_version(snapshot: &mut Transaction<'_>) -> Result<(String, i64), postgres::Error> {
    const VERSION: &str =
        "SELECT split_part(current_setting('server_version'), ' ', 1), current_setting('server_version_num')::bigint";
    let row = &snapshot.query_typed(VERSION, &[])?[0];
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn server_settings(snapshot: &mut Transaction<'_>) -> Result<BTreeMap<String, PostgresSetting>, postgres::Error> {
    const SETTINGS: &str = "SELECT name, setting, unit, current_setting(name) FROM pg_settings
        WHERE setting IS NOT NULL AND vartype <> 'string'";
    let rows = snapshot.query_typed(SETTINGS, &[])?;
    let setting = |row: &postgres::Row| {
        let setting = PostgresSetting { value: row.try_get(1)?, unit: row.try_get(2)?, shown: row.try_get(3)? };
        Ok((row.try_get(0)?, setting))
    };
    rows.iter().map(setting).collect()
}

/// Our tables as a relation of their `oid`, where `$1` is their names.
const OURS: &str = "ours AS (
    SELECT to_regclass(name)::oid AS oid FROM unnest($1::text[]) AS named (name)
    UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('agg_1m'))";

fn tables(snapshot: &mut Transaction<'_>) -> Result<Vec<TableReading>, postgres::Error> {
    let sql = format!(
        "WITH {OURS} SELECT relation.relname::text, coalesce(n_live_tup, 0), coalesce(n_dead_tup, 0), last_autovacuum,
             coalesce(relation.reloptions, '{{}}')
         FROM ours JOIN pg_class AS relation USING (oid) LEFT JOIN pg_stat_user_tables ON relid = relation.oid
         WHERE relation.relkind = 'r' ORDER BY 1"
    );
    let rows = snapshot.query_typed(&sql, &[(&&TABLES[..], Type::TEXT_ARRAY)])?;
    let table = |row: &postgres::Row| {
        let vacuumed_ms = row.try_get::<_, Option<_>>(3)?.map(unix_ms);
        let [live, dead] = [row.try_get(1)?, row.try_get(2)?];
        Ok(TableReading { name: row.try_get(0)?, live, dead, vacuumed_ms, options: row.try_get(4)? })
    };
    rows.iter().map(table).collect()
}

fn indexes(snapshot: &mut Transaction<'_>) -> Result<Vec<IndexReading>, postgres::Error> {
    let sql = format!(
        "WITH {OURS} SELECT coalesce(parent.relname, indexrelname)::text, coalesce(whole.relname, used.relname)::text,
             sum(idx_scan)::bigint, sum(pg_relation_size(used.indexrelid))::bigint
         FROM ours JOIN pg_stat_user_indexes AS used ON used.relid = ours.oid
         JOIN pg_index ON pg_index.indexrelid = used.indexrelid
         LEFT JOIN pg_inherits ON inhrelid = used.indexrelid LEFT JOIN pg_class AS parent ON parent.oid = inhparent
         LEFT JOIN pg_index AS of_parent ON of_parent.indexrelid = parent.oid
         LEFT JOIN pg_class AS whole ON whole.oid = of_parent.indrelid
         WHERE NOT pg_index.indisunique GROUP BY 1, 2 ORDER BY 1"
    );
    let rows = snapshot.query_typed(&sql, &[(&&TABLES[..], Type::TEXT_ARRAY)])?;
    let index = |row: &postgres::Row| {
        let [scans, bytes] = [row.try_get(2)?, row.try_get(3)?];
        Ok(IndexReading { name: row.try_get(0)?, table: row.try_get(1)?, scans, bytes })
    };
    rows.iter().map(index).collect()
}

/// Version 17 has moved these.
fn checkpoints(snapshot: &mut Transaction<'_>) -> Result<[i64; 2], postgres::Error> {
    let moved = snapshot.query_typed("SELECT to_regclass('pg_catalog.pg_stat_checkpointer') IS NOT NULL", &[])?;
    let sql = match moved[0].try_get(0)? {
        true => "SELECT num_timed, num_requested FROM pg_stat_checkpointer",
        false => "SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter",
    };
    let row = &snapshot.query_typed(sql, &[])?[0];
    Ok([row.try_get(0)?, row.try_get(1)?])
}

/// In a transaction of its own, which a server ends that has not loaded the extension. Only what has values that the server can leave
/// out: other statements, such as one that sets a password, are kept by it as they came.
fn statements(client: &mut Client, limits: &str) -> Result<Statements, Failure> {
    const PLACE: &str =
        "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = 'pg_stat_statements'";
    let place = client.query_typed(PLACE, &[])?;
    let Some(row) = place.first() else { return Ok(Statements::NotInstalled) };
    let place: String = row.try_get(0)?;
    let sql = format!(
        "SELECT left(query, $1), calls, total_exec_time FROM {place}.pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND query ~* '^\\s*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE)\\M'
         ORDER BY total_exec_time DESC LIMIT $2"
    );
    let mut snapshot = client.build_transaction().read_only(true).start()?;
    snapshot.batch_execute(limits)?;
    let read = snapshot.query_typed(&sql, &[(&STATEMENT_CHARACTERS, Type::INT4), (&STATEMENTS, Type::INT8)]);
    let unreadable =
        [SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, SqlState::INSUFFICIENT_PRIVILEGE, SqlState::UNDEFINED_COLUMN];
    let rows = match read {
        Err(error) if error.code().is_some_and(|code| unreadable.contains(code)) => return Ok(Statements::NotToBeRead),
        rows => rows?,
    };
    let statement = |row: &postgres::Row| {
        Ok(StatementReading { text: row.try_get(0)?, calls: row.try_get(1)?, total_ms: row.try_get(2)? })
    };
    Ok(Statements::Of(rows.iter().map(statement).collect::<Result<_, postgres::Error>>()?))
}
