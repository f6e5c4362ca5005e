//! Behind PgBouncer, a connection to the server is anybody's once a transaction has ended: nothing may be left on it.

use netqoe_sinks::read::{Filter, PostgresReader, Query, Reader};
use netqoe_sinks::{Maintain, Maintenance, Opening, PostgresOptions, Store};
use netqoe_testbed::{Database, PgBouncer};
use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::postgres::{commit, connect, log};

/// What a session would keep, beside its process id.
const LEFT: &str = "
    SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements),
           (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
           current_setting('statement_timeout'), current_setting('lock_timeout'),
           current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_read_only')";

#[test]
fn nothing_is_left_on_a_connection() {
    let database = Database::fresh().unwrap();
    let pooler = PgBouncer::start(database.url()).unwrap();
    let mut store = connect(pooler.url()).unwrap();
    let generation = store.open(&log(), &Opening::default()).unwrap();
    store.commit(generation, &[commit(1)]).unwrap();
    store.resume(generation, &netqoe_model::DiagnosisRules::default()).unwrap();
    store.maintain(&Maintenance { now_ms: 0, retention_ms: 1, months_ahead: 1 }).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let options = PostgresOptions::default();
    let reader = runtime.block_on(PostgresReader::connect(pooler.url(), &options, runtime.handle().clone())).unwrap();
    let reader: &dyn Reader = &reader;
    reader.ask(|store| store.rows.clients(&Query { filter: Filter::default(), after: None, limit: 1 })).unwrap();

    // Who is in a transaction has a connection to himself: together they see all that were used, and more.
    let mut clients: Vec<_> = (0..10).map(|_| Client::connect(pooler.url(), NoTls).unwrap()).collect();
    let left = clients.iter_mut().map(|client| {
        client.batch_execute("BEGIN").unwrap();
        let messages = client.simple_query(LEFT).unwrap();
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let row = row.unwrap();
        (0..row.len()).map(|column| row.get(column).unwrap().to_owned()).collect::<Vec<_>>()
    });
    let left: Vec<_> = left.collect();
    for session in &left {
        assert_eq!(session[1..], ["0", "0", "0", "0", "0", "off"], "{left:?}");
    }
}
