//! The settings that are shipped in `deploy/postgres`.

use netqoe_testbed::Postgres;
use postgres::{Client, NoTls};

use crate::postgres::write_file;

const SHIPPED: &str = include_str!("../../../../deploy/postgres/postgresql.conf");

/// Those of the tuning guide.
const EXPECTED: [(&str, &str); 12] = [
    ("max_connections", "100"),
    ("shared_buffers", "256MB"),
    ("effective_cache_size", "1GB"),
    ("wal_buffers", "16MB"),
    ("checkpoint_completion_target", "0.9"),
    ("max_wal_size", "4GB"),
    ("min_wal_size", "1GB"),
    ("random_page_cost", "1.1"),
    ("effective_io_concurrency", "200"),
    ("autovacuum", "on"),
    ("autovacuum_max_workers", "4"),
    ("autovacuum_naptime", "30s"),
];

#[test]
fn the_server_takes_the_shipped_settings() {
    let mut server = Postgres::start().unwrap();
    let mut client = Client::connect(&server.url(), NoTls).unwrap();
    write_file(&mut client, "netqoe.conf", SHIPPED);
    client.batch_execute("COPY (VALUES ('include ''netqoe.conf''')) TO PROGRAM 'cat >> postgresql.conf'").unwrap();
    drop(client);
    server.restart().unwrap();
    let mut client = Client::connect(&server.url(), NoTls).unwrap();
    for (name, expected) in EXPECTED {
        let setting: String = client.query_one(&format!("SHOW {name}"), &[]).unwrap().get(0);
        assert_eq!(setting, expected, "{name}");
    }
    let refused = "SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL AND sourcefile LIKE '%netqoe.conf'";
    assert!(client.query(refused, &[]).unwrap().is_empty());
}

#[test]
fn each_setting_says_why() {
    let mut commented = false;
    for line in SHIPPED.lines() {
        let is_setting = !line.is_empty() && !line.starts_with('#');
        assert!(!is_setting || commented, "{line}");
        commented = line.starts_with('#');
    }
}
