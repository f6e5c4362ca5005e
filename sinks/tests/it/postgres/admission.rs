//! Which databases and roles are taken: an encoding with all names, and rights on rows where the schema is current.

use netqoe_sinks::read::{PostgresReader, ReadError};
use netqoe_sinks::{Maintenance, Opening, PostgresOptions, Store, StoreError, StoreUrl};
use netqoe_testbed::Postgres;
use postgres::{Client, NoTls};

use crate::postgres::{assert_committed_through, commit, connect, log};

fn admin(server: &Postgres) -> (String, Client) {
    let url = server.database().unwrap();
    let client = Client::connect(&url, NoTls).unwrap();
    (url, client)
}

/// The same server, another database or role.
fn with(url: &str, user: Option<&str>, database: Option<&str>) -> String {
    let mut url = url::Url::parse(url).unwrap();
    if let Some(user) = user {
        url.set_username(user).unwrap();
        url.set_password(Some("secret")).unwrap();
    }
    if let Some(database) = database {
        url.set_path(database);
    }
    url.to_string()
}

#[test]
fn an_encoding_that_lacks_names_is_refused_at_the_start() {
    let server = Postgres::start().unwrap();
    let (url, mut client) = admin(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (encoding, taken) in [("LATIN1", false), ("EUC_JP", false), ("SQL_ASCII", true), ("UTF8", true)] {
        let name = encoding.to_lowercase();
        let create = format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
        client.batch_execute(&create).unwrap();
        let url = with(&url, None, Some(&name));
        let options = PostgresOptions::default();
        let reading = PostgresReader::connect(&url, &options, runtime.handle().clone());
        let read = runtime.block_on(reading);
        if taken {
            assert!(read.is_ok());
            let mut store = connect(&url).unwrap();
            let generation = store.open(&log(), &Opening::default()).unwrap();
            let mut named = commit(1);
            named.rows[0].client_id = "日本".into();
            store.commit(generation, &[named]).unwrap();
            continue;
        }
        let said = connect(&url).err().unwrap().to_string();
        assert!(said.contains(encoding) && said.contains("UTF8") && !said.contains('\n'), "{said}");
        let Err(ReadError::Open { reason, .. }) = read else { panic!("{encoding} is read") };
        assert!(reason.contains(encoding), "{reason}");
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        assert_eq!(Client::connect(&url, NoTls).unwrap().query_one(tables, &[]).unwrap().get::<_, i64>(0), 0);
    }
}

/// A role that has rights on rows, or that lacks one of them.
fn grant(client: &mut Client, rights: &str) {
    client
        .batch_execute(&format!(
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC;
             DROP ROLE IF EXISTS writer;
             CREATE ROLE writer LOGIN PASSWORD 'secret';
             GRANT USAGE ON SCHEMA public TO writer;
             GRANT {rights} ON ALL TABLES IN SCHEMA public TO writer;"
        ))
        .unwrap();
}

#[test]
fn rights_on_rows_are_enough_where_the_schema_is_current() {
    let server = Postgres::start().unwrap();
    let (url, mut client) = admin(&server);
    let owner = PostgresOptions::default();
    drop(connect(&url).unwrap());
    grant(&mut client, "SELECT, INSERT, UPDATE, DELETE");
    let writer = with(&url, Some("writer"), None);
    let mut store = connect(&writer).unwrap();
    let generation = store.open(&log(), &Opening::default()).unwrap();

    // No month has its partition: the rows wait, and it is said for what.
    let waits = store.commit(generation, &[commit(1)]).unwrap_err();
    assert!(waits.may_pass(), "{waits:?}");
    let said = waits.to_string();
    for part in ["agg_1m_1970_01", "writer", "netqoe maintain"] {
        assert!(said.contains(part), "{said}");
    }
    // The daily run says it long before, and does all else.
    let store_url: StoreUrl = writer.parse().unwrap();
    let maintenance = Maintenance { now_ms: 0, retention_ms: 86_400_000, months_ahead: 3 };
    let maintain = |url: &StoreUrl| url.connect_for_maintenance(&owner).unwrap().maintain(&maintenance);
    let refused = maintain(&store_url).unwrap_err();
    assert!(matches!(refused, StoreError::Rights { .. }), "{refused:?}");
    assert!(refused.to_string().contains("netqoe maintain") && !refused.to_string().contains('\n'), "{refused}");

    maintain(&url.parse().unwrap()).unwrap();
    client.batch_execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer").unwrap();
    store.commit(generation, &[commit(1)]).unwrap();
    assert_committed_through(&url, 1);
    assert_eq!(maintain(&store_url).unwrap().months_made, 0, "nothing is left to do");
}

#[test]
fn a_role_without_rights_is_told_at_once_which() {
    let server = Postgres::start().unwrap();
    let (url, mut client) = admin(&server);
    drop(connect(&url).unwrap());
    grant(&mut client, "SELECT, INSERT");
    let refused = connect(&with(&url, Some("writer"), None)).err().unwrap();
    assert!(!refused.may_pass(), "{refused:?}");
    let said = refused.to_string();
    for part in ["writer", "UPDATE on agg_1m", "DELETE on checkpoint", "GRANT"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains('\n') && !said.contains("secret"), "{said}");
}

/// As after a failover: the server that was the primary answers, and takes no writes.
#[test]
fn a_primary_that_turns_read_only_is_waited_for() {
    let server = Postgres::start().unwrap();
    let (url, mut client) = admin(&server);
    let mut store = connect(&url).unwrap();
    let generation = store.open(&log(), &Opening::default()).unwrap();
    let name: String = client.query_one("SELECT current_database()::text", &[]).unwrap().get(0);
    let read_only = |client: &mut Client, on: &str| {
        client
            .batch_execute(&format!(
                "SET default_transaction_read_only = off;
                 ALTER DATABASE \"{name}\" SET default_transaction_read_only = {on};
                 SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'netqoe';"
            ))
            .unwrap();
    };
    read_only(&mut client, "on");
    let mut second = connect(&url).unwrap();
    let refused = second.open(&log(), &Opening::default()).unwrap_err();
    assert!(refused.may_pass() && refused.to_string().contains("primary"), "{refused}");

    let committing = std::thread::spawn(move || {
        let done = store.commit(generation, &[commit(1)]);
        (store, done)
    });
    std::thread::sleep(std::time::Duration::from_millis(500));
    read_only(&mut client, "off");
    let (_store, done) = committing.join().unwrap();
    done.unwrap();
    assert_committed_through(&url, 1);
}
