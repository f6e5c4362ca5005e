//! A store of either kind for one test, empty at first and gone afterwards, with its tables open to view.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use netqoe_model::Generation;
use netqoe_sinks::read::{PostgresReader, Reader, SqliteReader};
use netqoe_sinks::{
    Annotations, Clock, Maintain, Opening, Outbox, PostgresOptions, Store, StoreError, StoreUrl, WriteTurn,
};
use netqoe_testbed::PgBouncer;
use postgres::NoTls;
use refinery::{Runner, Target};
use rusqlite::types::ValueRef;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::contract::contents::{Cell, Contents, Kind, Rows, Table, WRITTEN};
use crate::contract::make::log;

/// A database of one test, and a clock that stands still until it is set.
pub(crate) struct Bench {
    database: Box<dyn Database>,
    clock_ms: Arc<AtomicI64>,
}

impl Bench {
    pub(crate) fn sqlite() -> Self {
        Self::of(Box::new(SqliteFile { folder: TempDir::new().unwrap() }))
    }

    pub(crate) fn postgres() -> Self {
        Self::of(Box::new(PostgresDatabase::create()))
    }

    /// Only the store is behind PgBouncer: what a test looks at and does beside it needs sessions.
    pub(crate) fn pgbouncer() -> Self {
        let database = PostgresDatabase::create();
        let pooler = PgBouncer::start(database.database.url()).unwrap();
        Self::of(Box::new(PostgresDatabase { pooler: Some(pooler), ..database }))
    }

    fn of(database: Box<dyn Database>) -> Self {
        Self { database, clock_ms: Arc::new(AtomicI64::new(1)) }
    }

    pub(crate) fn set_clock(&self, ms: i64) {
        self.clock_ms.store(ms, Ordering::SeqCst);
    }

    /// The store, as one more process would connect to it.
    pub(crate) fn try_connect(&self) -> Result<Box<dyn Store>, StoreError> {
        self.connector()()
    }

    /// The same for a thread.
    pub(crate) fn connector(&self) -> impl FnOnce() -> Result<Box<dyn Store>, StoreError> + Send + 'static {
        let (url, clock) = (self.database.url(), self.clock());
        move || url.connect(&PostgresOptions::default(), clock)
    }

    /// The store, as a replay connects to it.
    pub(crate) fn connect_for_replay(&self) -> Box<dyn Store> {
        self.database.url().connect_for_replay(&PostgresOptions::default(), self.clock()).unwrap()
    }

    fn clock(&self) -> Clock {
        let clock_ms = Arc::clone(&self.clock_ms);
        Arc::new(move || clock_ms.load(Ordering::SeqCst))
    }

    pub(crate) fn connect(&self) -> Box<dyn Store> {
        self.try_connect().unwrap()
    }

    /// The store, and a new generation of the usual log.
    pub(crate) fn open(&self) -> (Box<dyn Store>, Generation) {
        let mut store = self.connect();
        let generation = store.open(&log(), &Opening::default()).unwrap();
        (store, generation)
    }

    /// What stands in the tables that commits write.
    pub(crate) fn contents(&self) -> Contents {
        Contents(WRITTEN.map(|table| self.rows(table))).sorted()
    }

    pub(crate) fn rows(&self, table: &Table) -> Rows {
        self.database.rows(table)
    }

    /// The store, for another process that keeps it in order.
    pub(crate) fn maintainer(&self) -> Box<dyn Maintain> {
        self.database.url().connect_for_maintenance(&PostgresOptions::default()).unwrap()
    }

    /// The messages to receivers, for a process that sends them.
    pub(crate) fn outbox(&self) -> Box<dyn Outbox> {
        self.database.url().connect_outbox(&PostgresOptions::default(), WriteTurn::default()).unwrap()
    }

    /// What reads the store for the query API. It has its tables.
    pub(crate) fn reader(&self) -> Box<dyn Reader> {
        self.database.reader()
    }

    /// What keeps notes and planned faults. The store has its tables.
    pub(crate) fn annotations(&self) -> Arc<dyn Annotations> {
        self.database.url().annotations(&PostgresOptions::default()).unwrap()
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.database.execute(sql);
    }

    /// The schema of the last netqoe that stored no states.
    pub(crate) fn make_schema_without_states(&self) {
        self.database.make_schema_without_states();
    }

    /// A time (Unix milliseconds) as this kind of database writes it in SQL.
    pub(crate) fn time(&self, ms: i64) -> String {
        self.database.time(ms)
    }

    /// No and yes, as this kind of database writes them in SQL.
    pub(crate) fn flags(&self) -> [&'static str; 2] {
        self.database.flags()
    }

    /// Bytes in hexadecimal digits, as this kind of database writes them in SQL.
    pub(crate) fn bytes(&self, hex: &str) -> String {
        self.database.bytes(hex)
    }

    /// Runs this SQL in a transaction of another connection, which stays open until the returned function is called.
    pub(crate) fn begin(&self, sql: &str) -> Box<dyn FnOnce()> {
        self.database.begin(sql)
    }

    /// Lets every insertion into this table fail, until [`Bench::mend`].
    pub(crate) fn spoil(&self, table: &Table) {
        self.database.spoil(table.name);
    }

    pub(crate) fn mend(&self, table: &Table) {
        self.database.mend(table.name);
    }
}

mod sqlite_schema {
    refinery::embed_migrations!("../migrations/sqlite");
}

mod postgres_schema {
    refinery::embed_migrations!("../migrations/postgres");
}

/// Makes an earlier schema, as the store of that time did.
fn earlier(mut runner: Runner, version: i32) -> Runner {
    runner.set_migration_table_name("store_schema_history");
    runner.set_target(Target::Version(version))
}

/// What a test needs of a kind of database beside the store.
trait Database {
    fn url(&self) -> StoreUrl;
    fn reader(&self) -> Box<dyn Reader>;
    fn execute(&self, sql: &str);
    fn make_schema_without_states(&self);
    fn time(&self, ms: i64) -> String;
    fn flags(&self) -> [&'static str; 2];
    fn bytes(&self, hex: &str) -> String;
    fn rows(&self, table: &Table) -> Rows;
    fn begin(&self, sql: &str) -> Box<dyn FnOnce()>;
    fn spoil(&self, table: &str);
    fn mend(&self, table: &str);
}

struct SqliteFile {
    folder: TempDir,
}

impl SqliteFile {
    fn connection(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.folder.path().join("store.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(60)).unwrap();
        connection
    }
}

impl Database for SqliteFile {
    fn url(&self) -> StoreUrl {
        StoreUrl::Sqlite(self.folder.path().join("store.db"))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(SqliteReader::open(&self.folder.path().join("store.db")).unwrap())
    }

    fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    fn make_schema_without_states(&self) {
        earlier(sqlite_schema::migrations::runner(), 5).run(&mut self.connection()).unwrap();
    }

    fn time(&self, ms: i64) -> String {
        ms.to_string()
    }

    fn flags(&self) -> [&'static str; 2] {
        ["0", "1"]
    }

    fn bytes(&self, hex: &str) -> String {
        format!("x'{hex}'")
    }

    fn rows(&self, table: &Table) -> Rows {
        let columns: Vec<_> = table.columns.iter().map(|(column, _)| *column).collect();
        let connection = self.connection();
        let mut statement = connection.prepare(&format!("SELECT {} FROM {}", columns.join(","), table.name)).unwrap();
        let cell = |value: ValueRef<'_>| match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(integer) => Cell::Integer(integer),
            ValueRef::Real(real) => Cell::Real(real),
            ValueRef::Text(text) => Cell::Text(String::from_utf8(text.to_vec()).unwrap()),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        };
        let rows = statement.query_map([], |row| (0..columns.len()).map(|n| Ok(cell(row.get_ref(n)?))).collect());
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn begin(&self, sql: &str) -> Box<dyn FnOnce()> {
        let connection = self.connection();
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql}")).unwrap();
        Box::new(move || connection.execute_batch("COMMIT").unwrap())
    }

    fn spoil(&self, table: &str) {
        self.execute(&format!(
            "CREATE TRIGGER spoil_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
        ));
    }

    fn mend(&self, table: &str) {
        self.execute(&format!("DROP TRIGGER spoil_{table}"));
    }
}

struct PostgresDatabase {
    /// Serves the connections of readers.
    runtime: Runtime,
    client: RefCell<postgres::Client>,
    pooler: Option<PgBouncer>,
    database: netqoe_testbed::Database,
}

impl PostgresDatabase {
    fn create() -> Self {
        let database = netqoe_testbed::Database::fresh().unwrap();
        let client = postgres::Client::connect(database.url(), NoTls).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { runtime, client: RefCell::new(client), pooler: None, database }
    }
}

impl PostgresDatabase {
    fn store_url(&self) -> &str {
        self.pooler.as_ref().map_or(self.database.url(), PgBouncer::url)
    }
}

impl Database for PostgresDatabase {
    fn url(&self) -> StoreUrl {
        self.store_url().parse().unwrap()
    }

    fn reader(&self) -> Box<dyn Reader> {
        let (runtime, options) = (self.runtime.handle(), PostgresOptions::default());
        let connecting = PostgresReader::connect(self.store_url(), &options, runtime.clone());
        Box::new(runtime.block_on(connecting).unwrap())
    }

    fn execute(&self, sql: &str) {
        self.client.borrow_mut().batch_execute(sql).unwrap();
    }

    fn make_schema_without_states(&self) {
        earlier(postgres_schema::migrations::runner(), 4).run(&mut *self.client.borrow_mut()).unwrap();
    }

    fn time(&self, ms: i64) -> String {
        format!("to_timestamp({ms} / 1000.0)")
    }

    fn flags(&self) -> [&'static str; 2] {
        ["false", "true"]
    }

    fn bytes(&self, hex: &str) -> String {
        format!("'\\x{hex}'")
    }

    fn rows(&self, table: &Table) -> Rows {
        let selected = |(column, kind): &(&str, Kind)| match kind {
            Kind::Integer => format!("{column}::bigint"),
            Kind::Time => format!("(extract(epoch FROM {column}) * 1000)::bigint"),
            Kind::Flag => format!("{column}::int::bigint"),
            Kind::Real | Kind::Text | Kind::Bytes => (*column).to_owned(),
        };
        let columns: Vec<_> = table.columns.iter().map(selected).collect();
        let rows = self.client.borrow_mut().query(&format!("SELECT {} FROM {}", columns.join(","), table.name), &[]);
        let cell = |row: &postgres::Row, column, kind: Kind| {
            let cell = match kind {
                Kind::Integer | Kind::Time | Kind::Flag => row.get::<_, Option<i64>>(column).map(Cell::Integer),
                Kind::Real => row.get::<_, Option<f64>>(column).map(Cell::Real),
                Kind::Text => row.get::<_, Option<String>>(column).map(Cell::Text),
                Kind::Bytes => row.get::<_, Option<Vec<u8>>>(column).map(Cell::Bytes),
            };
            cell.unwrap_or(Cell::Null)
        };
        let kinds = || table.columns.iter().map(|(_, kind)| *kind).enumerate();
        rows.unwrap().iter().map(|row| kinds().map(|(column, kind)| cell(row, column, kind)).collect()).collect()
    }

    fn begin(&self, sql: &str) -> Box<dyn FnOnce()> {
        let mut client = postgres::Client::connect(self.database.url(), NoTls).unwrap();
        client.batch_execute(&format!("BEGIN; {sql}")).unwrap();
        Box::new(move || client.batch_execute("COMMIT").unwrap())
    }

    fn spoil(&self, table: &str) {
        self.execute(&format!(
            "CREATE OR REPLACE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'spoilt'; END $$;
             CREATE TRIGGER spoil BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION spoil()"
        ));
    }

    fn mend(&self, table: &str) {
        self.execute(&format!("DROP TRIGGER spoil ON {table}"));
    }
}
