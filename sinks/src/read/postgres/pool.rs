//! A few connections that can only read.

use std::pin::pin;
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime, TimeoutType, Timeouts,
    Transaction,
};
use futures::TryStreamExt;
use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{IsolationLevel, Row};
use tokio::runtime::Handle;
use tokio::time;

use super::execute::{Parameter, numbered};
use crate::PostgresOptions;
use crate::postgres::address::Address;
use crate::postgres::link::{complete, describe};
use crate::postgres::window::Unreadable;
use crate::postgres::{NO_COMPILER, admission, retry, tls_fault};
use crate::read::ReadError;
use crate::read::statement::Statement;

/// How long a query waits for a connection while all are in use.
const WAIT: Duration = Duration::from_secs(1);

/// How much longer than its time limit a question may last until it is given up here, where the server does not stop
/// it itself: to find a connection, and for the way there and back.
const GRACE: Duration = Duration::from_secs(2);

/// Connections to one database, opened when they are needed. One that has failed is not used again.
pub(super) struct Pool {
    name: String,
    connections: deadpool_postgres::Pool,
    runtime: Handle,
    time_limit: Duration,
    max_idle: usize,
}

/// The database as it was when it was first read in this transaction.
pub(super) struct State<'a> {
    pool: &'a Pool,
    transaction: Transaction<'a>,
}

/// Why a query has no answer, as its source reports it.
enum Failure {
    Connections(PoolError),
    Unreadable(Unreadable),
    GivenUp,
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::Connections(error)
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self::Unreadable(error.into())
    }
}

impl Pool {
    /// Opens the first connection, so that a store that can't be read is found at the start.
    pub(super) async fn connect(
        url: &str,
        options: &PostgresOptions,
        time_limit: Duration,
        runtime: Handle,
    ) -> Result<Self, ReadError> {
        let mut address = Address::parse(url)
            .map_err(|error| ReadError::Open { store: crate::url::without_password(url), reason: error.to_string() })?;
        complete(&mut address.config, options);
        let refuse = |reason| ReadError::Open { store: address.name.clone(), reason };
        let unprotected = |reason| ReadError::Tls { store: address.name.clone(), reason };
        let connector = address.protection.connector().map_err(unprotected)?;
        let verified = ManagerConfig { recycling_method: RecyclingMethod::Verified };
        let lifetime = options.connection_lifetime;
        let connections = deadpool_postgres::Pool::builder(Manager::from_config(address.config, connector, verified))
            .max_size(options.max_open_connections)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(WAIT),
                create: Some(options.connect_timeout),
                recycle: Some(options.connect_timeout),
            })
            .pre_recycle(Hook::sync_fn(move |_, metrics| {
                if metrics.age() < lifetime { Ok(()) } else { Err(HookError::message("it has served its time")) }
            }))
            .build()
            .map_err(|error| refuse(error.to_string()))?;
        let first = connections.get().await.map_err(|error| match &error {
            PoolError::Backend(inner) => tls_fault::reason(inner).map_or_else(|| refuse(reason(&error)), unprotected),
            _ => refuse(reason(&error)),
        })?;
        let encoding = first.query_typed(admission::ENCODING, &[]).await.map_err(|error| refuse(describe(&error)))?;
        let encoding: &str = encoding[0].try_get(0).map_err(|error| refuse(describe(&error)))?;
        admission::check_encoding(&address.name, encoding).map_err(|error| refuse(error.to_string()))?;
        drop(first);
        let max_idle = options.max_idle_connections;
        Ok(Self { name: address.name, connections, runtime, time_limit, max_idle })
    }

    /// Does this with one state of the database.
    pub(super) fn at_once<T>(&self, ask: impl FnOnce(&State<'_>) -> T) -> Result<T, ReadError> {
        let connecting = async { self.in_time(async { Ok(self.connections.get().await?) }).await };
        let mut connection = self.runtime.block_on(connecting).map_err(|failure| self.failed(failure))?;
        let begin = async { self.in_time(self.begin(&mut connection)).await };
        let begun = self.runtime.block_on(begin).map_err(|failure| self.failed(failure));
        // The transaction has written nothing: it needs no commit, and is over where it is dropped.
        let answer = begun.map(|transaction| ask(&State { pool: self, transaction }));
        drop(connection);
        self.close_idle();
        answer
    }

    async fn begin<'a>(&self, connection: &'a mut Object) -> Result<Transaction<'a>, Failure> {
        let begun = connection.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let transaction = begun.start().await?;
        let limit_ms = self.time_limit.as_millis();
        transaction.batch_execute(&format!("SET LOCAL statement_timeout = {limit_ms}; {NO_COMPILER}")).await?;
        Ok(transaction)
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        time::timeout(self.time_limit + GRACE, work).await.unwrap_or(Err(Failure::GivenUp))
    }

    fn close_idle(&self) {
        let mut kept = 0;
        self.connections.retain(|_, _| {
            kept += 1;
            kept <= self.max_idle
        });
    }

    fn failed(&self, failure: Failure) -> ReadError {
        let too_slow = ReadError::TooSlow { limit_ms: self.time_limit.as_millis() };
        let store = self.name.clone();
        match failure {
            Failure::GivenUp => too_slow,
            Failure::Unreadable(Unreadable::Postgres(error)) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
                too_slow
            }
            Failure::Connections(PoolError::Timeout(TimeoutType::Wait)) => ReadError::Busy,
            Failure::Connections(error) if connecting_may_pass(&error) => {
                ReadError::Unavailable { store, reason: reason(&error) }
            }
            Failure::Connections(error) => ReadError::Query { store, reason: reason(&error) },
            Failure::Unreadable(Unreadable::Postgres(error)) if retry::error_may_pass(&error) => {
                ReadError::Unavailable { store, reason: describe(&error) }
            }
            Failure::Unreadable(Unreadable::Postgres(error)) => ReadError::Query { store, reason: describe(&error) },
            Failure::Unreadable(Unreadable::Value(what)) => ReadError::Query { store, reason: what },
        }
    }
}

impl State<'_> {
    /// All rows of the answer.
    pub(super) fn read<T>(
        &self,
        statement: &Statement,
        mut record: impl FnMut(&Row) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, ReadError> {
        self.read_some(statement, |row| record(row).map(Some))
    }

    /// The rows of the answer that are wanted.
    pub(super) fn read_some<T>(
        &self,
        statement: &Statement,
        record: impl FnMut(&Row) -> Result<Option<T>, Unreadable>,
    ) -> Result<Vec<T>, ReadError> {
        let parameters = Parameter::of(statement);
        let parameters: Vec<_> = parameters.iter().map(Parameter::typed).collect();
        let sql = numbered(statement);
        let answer = async { self.pool.in_time(self.rows(&sql, parameters, record)).await };
        self.pool.runtime.block_on(answer).map_err(|failure| self.pool.failed(failure))
    }

    /// Reads each row as it comes: many rows of the driver's take several times the memory of ours.
    async fn rows<T>(
        &self,
        sql: &str,
        parameters: Vec<(&(dyn ToSql + Sync), Type)>,
        mut record: impl FnMut(&Row) -> Result<Option<T>, Unreadable>,
    ) -> Result<Vec<T>, Failure> {
        let mut rows = pin!(self.transaction.query_typed_raw(sql, parameters).await?);
        let mut records = Vec::new();
        while let Some(row) = rows.try_next().await? {
            records.extend(record(&row)?);
        }
        Ok(records)
    }
}

fn connecting_may_pass(error: &PoolError) -> bool {
    match error {
        PoolError::Backend(error) => retry::error_may_pass(error),
        error => matches!(error, PoolError::Timeout(_)),
    }
}

fn reason(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => describe(error),
        PoolError::Timeout(_) => "the server does not answer".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use netqoe_testbed::Database;
    use postgres::NoTls;
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    struct Bench {
        pool: Pool,
        runtime: Runtime,
        database: Database,
    }

    impl Bench {
        fn with(options: &PostgresOptions, time_limit: Duration) -> Self {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let database = Database::fresh().unwrap();
            let connecting = Pool::connect(database.url(), options, time_limit, runtime.handle().clone());
            let pool = runtime.block_on(connecting).unwrap();
            Self { pool, runtime, database }
        }

        fn ask(&self, sql: &str) -> Result<i32, ReadError> {
            let rows = self.pool.at_once(|state| state.read(&Statement::new(sql), |row| Ok(row.try_get(0)?)))??;
            Ok(rows[0])
        }

        /// How many connections the server has from the pool. The asking connection is not counted.
        fn connections(&self) -> i64 {
            let mut client = postgres::Client::connect(self.database.url(), NoTls).unwrap();
            let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'netqoe'";
            client.query_one(count, &[]).unwrap().get(0)
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn stops_what_takes_too_long_and_goes_on() {
        let bench = Bench::with(&PostgresOptions::default(), Duration::from_millis(50));
        for _ in 0..2 {
            let stopped = bench.ask("SELECT 1 FROM pg_sleep(60)");
            assert!(matches!(stopped, Err(ReadError::TooSlow { limit_ms: 50 })), "{stopped:?}");
            // Not every machine answers within 50 ms at once.
            assert!((0..100).any(|_| bench.ask("SELECT 7").is_ok_and(|answer| answer == 7)));
        }
    }

    #[test]
    fn lends_a_bounded_number_of_connections() {
        let bench = Bench::with(&PostgresOptions { max_open_connections: 2, ..Default::default() }, LONG);
        thread::scope(|scope| {
            // Two that wait for a lock which a third holds take both connections.
            let mut holder = postgres::Client::connect(bench.database.url(), NoTls).unwrap();
            let mut held = holder.transaction().unwrap();
            held.execute("SELECT pg_advisory_xact_lock(1)", &[]).unwrap();
            let ask = || bench.ask("SELECT 1 FROM pg_advisory_xact_lock_shared(1)");
            let waiting = [scope.spawn(ask), scope.spawn(ask)];
            while bench.pool.connections.status().available > 0 || bench.pool.connections.status().size < 2 {
                thread::yield_now();
            }
            assert!(matches!(bench.ask("SELECT 1"), Err(ReadError::Busy)));
            held.rollback().unwrap();
            waiting.into_iter().for_each(|asking| assert_eq!(asking.join().unwrap().unwrap(), 1));
        });
        assert_eq!(bench.ask("SELECT 7").unwrap(), 7);
        assert!(bench.connections() <= 2);
    }

    #[test]
    fn connections_serve_their_time_and_no_more_of_them_idle_than_may() {
        let pid = "SELECT pg_backend_pid()";
        let bench = Bench::with(&PostgresOptions::default(), LONG);
        assert_eq!(bench.ask(pid).unwrap(), bench.ask(pid).unwrap());
        let bench = Bench::with(&PostgresOptions { connection_lifetime: Duration::ZERO, ..Default::default() }, LONG);
        assert_ne!(bench.ask(pid).unwrap(), bench.ask(pid).unwrap());
        let bench = Bench::with(&PostgresOptions { max_idle_connections: 0, ..Default::default() }, LONG);
        assert_ne!(bench.ask(pid).unwrap(), bench.ask(pid).unwrap());
        while bench.connections() > 0 {
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_lost_connection_is_replaced() {
        let bench = Bench::with(&PostgresOptions::default(), LONG);
        let pid = bench.ask("SELECT pg_backend_pid()").unwrap();
        let mut client = postgres::Client::connect(bench.database.url(), NoTls).unwrap();
        client.execute("SELECT pg_terminate_backend($1, 60000)", &[&pid]).unwrap();
        assert_ne!(bench.ask("SELECT pg_backend_pid()").unwrap(), pid);
    }

    #[test]
    fn writes_nothing() {
        let bench = Bench::with(&PostgresOptions::default(), LONG);
        let mut client = postgres::Client::connect(bench.database.url(), NoTls).unwrap();
        client.batch_execute("CREATE TABLE numbers (number integer)").unwrap();
        let refused = bench.ask("WITH new AS (INSERT INTO numbers VALUES (1) RETURNING number) SELECT * FROM new");
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("read-only transaction") && !refused.contains('\n'), "{refused}");
    }

    #[test]
    fn a_server_that_is_not_there_is_named_at_the_start() {
        let bench = Bench::with(&PostgresOptions::default(), LONG);
        let port = netqoe_testbed::free_port().unwrap();
        let url = format!("postgres://u:secret@127.0.0.1:{port}/d");
        let options = PostgresOptions::default();
        let connecting = Pool::connect(&url, &options, LONG, bench.runtime.handle().clone());
        let refused = bench.runtime.block_on(connecting).err().unwrap().to_string();
        assert!(refused.contains(&port.to_string()) && !refused.contains("secret"), "{refused}");
    }
}
