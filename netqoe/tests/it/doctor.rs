//! `netqoe doctor` on real servers: each bad setting that is planted is named, and what the guide sets is not.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, StorageType};
use netqoe_testbed::{NatsServer, Postgres, free_port};
use postgres::{Client, NoTls};

use crate::support::{eventually, netqoe};

const BAD_SETTINGS: &str = "
    fsync = off
    full_page_writes = off
    synchronous_commit = off
    autovacuum = off
    autovacuum_max_workers = 2
    autovacuum_naptime = 60s
    shared_buffers = 32MB
    work_mem = 64kB
    max_wal_size = 256MB
    checkpoint_timeout = 30s
    checkpoint_completion_target = 0.3
    max_connections = 20
    shared_preload_libraries = 'pg_stat_statements'
";

/// Too many dead rows, a table that is never vacuumed, one that lost its settings, an index for nothing, a statement that takes long, and
/// a schema that is not up to date.
const BAD_STORE: &str = "
    CREATE INDEX for_nothing ON clients (client_id, last_seen);
    INSERT INTO clients (client_id, first_seen, last_seen)
        SELECT 'a-client-with-a-long-name-' || n, now(), now() FROM generate_series(1, 20000) AS n;
    DELETE FROM clients;
    ALTER TABLE looks SET (autovacuum_enabled = false);
    ALTER TABLE diagnoses RESET (autovacuum_vacuum_scale_factor);
    CREATE EXTENSION pg_stat_statements;
    SELECT pg_sleep(0.2), 'planted-text' AS text;
    DELETE FROM store_schema_history WHERE version = (SELECT max(version) FROM store_schema_history);
";

/// What is said of these, by its beginning.
const SAID_OF_POSTGRES: [&str; 19] = [
    "shared_buffers of PostgreSQL: 32MB; set 256MB",
    "work_mem of PostgreSQL: 64kB; ",
    "max_wal_size of PostgreSQL: 256MB; ",
    "checkpoint_timeout of PostgreSQL: 30s; ",
    "checkpoint_completion_target of PostgreSQL: 0.3; ",
    "autovacuum of PostgreSQL: off; ",
    "autovacuum_max_workers of PostgreSQL: 2; ",
    "autovacuum_naptime of PostgreSQL: 1min; ",
    "synchronous_commit of PostgreSQL: off; ",
    "fsync of PostgreSQL: off; ",
    "full_page_writes of PostgreSQL: off; ",
    "max_connections of PostgreSQL: 20, of which 17 are for all; ",
    "schema of the store: version ",
    "autovacuum of table looks: off; ALTER TABLE looks RESET (autovacuum_enabled)",
    "autovacuum_vacuum_scale_factor of table diagnoses: not set; ",
    "table clients: 20000 dead rows beside 0, never vacuumed; ",
    "note: indexes: 1 not used in 0 hours; ",
    "open files of a process started here: 512 at most; ",
    "PostgreSQL 15.",
];

const SAID_OF_NATS: [&str; 6] = [
    "storage of stream telemetry-events: memory; ",
    "duplicate window of stream telemetry-events: 10s; ",
    "max_age of stream telemetry-events: 1h; ",
    "consumer aggregator: 10001 messages are pending, 0 not acknowledged; ",
    "note: replicas of stream telemetry-events: 1; ",
    "NATS ",
];

/// A doctor of these servers, which may open few files.
fn doctor(options: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 512 && exec \"$@\"", "sh"]).arg(netqoe().get_program()).arg("doctor");
    command.args(options).output().unwrap()
}

#[track_caller]
fn lines(output: &Output, code: i32) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_said(lines: &[String], beginnings: &[&str]) {
    for beginning in beginnings {
        let said = lines.iter().filter(|line| line.starts_with(beginning)).count();
        assert_eq!(said, 1, "{beginning}: {lines:#?}");
    }
}

fn migrate(url: &str) {
    assert!(netqoe().args(["migrate", "--database-url", url]).output().unwrap().status.success());
}

fn with_stream(nats: &NatsServer, config: Config, messages: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(nats.url()).await.unwrap();
        let jetstream = async_nats::jetstream::new(client.clone());
        let name = config.name.clone();
        jetstream.create_stream(config).await.unwrap();
        let stream = jetstream.get_stream(name).await.unwrap();
        let durable_name = Some("aggregator".to_owned());
        stream.create_consumer(pull::Config { durable_name, ..pull::Config::default() }).await.unwrap();
        for _ in 0..messages {
            client.publish("telemetry.events", "{}".into()).await.unwrap();
        }
        client.flush().await.unwrap();
        while stream.get_info().await.unwrap().state.messages < messages as u64 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

fn stream() -> Config {
    let subjects = ["telemetry.events", "telemetry.events.*"].map(str::to_owned).to_vec();
    let (max_age, duplicate_window) = (Duration::from_secs(7 * 86_400), Duration::from_secs(120));
    Config { name: "telemetry-events".to_owned(), subjects, max_age, duplicate_window, ..Config::default() }
}

#[test]
fn bad_settings_are_named_each_with_what_to_do() {
    let (postgres, nats) = (Postgres::start_with(BAD_SETTINGS).unwrap(), NatsServer::start().unwrap());
    migrate(&postgres.url());
    Client::connect(&postgres.url(), NoTls).unwrap().batch_execute(BAD_STORE).unwrap();
    let (max_age, duplicate_window) = (Duration::from_secs(3_600), Duration::from_secs(10));
    with_stream(&nats, Config { max_age, duplicate_window, storage: StorageType::Memory, ..stream() }, 10_001);

    let secret = postgres.url().replace("postgres@", "postgres:planted-password@");
    let options = ["--database-url", &secret, "--nats-url", &nats.url()];
    // The server counts what a connection has done a moment after its end.
    eventually("the server has counted", || {
        String::from_utf8_lossy(&doctor(&options).stdout).contains("20000 dead rows")
    });
    let output = doctor(&options);
    let lines = lines(&output, 1);
    assert_said(&lines, &SAID_OF_POSTGRES);
    assert_said(&lines, &SAID_OF_NATS);
    let is_slow = |line: &String| line.starts_with("note: slow query of PostgreSQL: 1 times ");
    assert!(lines.iter().any(|line| is_slow(line) && line.contains("SELECT pg_sleep($1)")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("planted")), "{lines:#?}");
    let complaint = String::from_utf8_lossy(&output.stderr);
    let problems = lines.iter().filter(|line| line.contains("; ") && !line.starts_with("note: ")).count();
    assert!(complaint.contains(&format!("netqoe: {problems} problems were found")), "{complaint}");
}

#[test]
fn what_the_guide_sets_is_not_named() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/postgres/postgresql.conf");
    let (postgres, nats) =
        (Postgres::start_with(&fs::read_to_string(guide).unwrap()).unwrap(), NatsServer::start().unwrap());
    migrate(&postgres.url());
    with_stream(&nats, stream(), 10_000);
    let url = postgres.url();
    let maintained = netqoe().args(["maintain", "--database-url", &url]).output().unwrap();
    assert!(maintained.status.success(), "{maintained:?}");

    let lines = lines(&doctor(&["--database-url", &url, "--nats-url", &nats.url()]), 1);
    let is_problem = |line: &&String| line.contains("; ") && !line.starts_with("note: ");
    let problems: Vec<_> = lines.iter().filter(is_problem).filter_map(|line| line.split(':').next()).collect();
    // Of the machine, as planted; and of the server that Debian has, which can't be told otherwise.
    let expected = ["open files of a process started here", "sync_interval of NATS"];
    assert!(problems == expected || problems == expected[..1], "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("note: slow queries of PostgreSQL: not counted; ")), "{lines:#?}");
}

#[test]
fn a_server_that_is_away_is_named_and_the_other_looked_at() {
    let postgres = Postgres::start().unwrap();
    let nowhere = format!("nats://127.0.0.1:{}", free_port().unwrap());
    let lines = lines(&doctor(&["--database-url", &postgres.url(), "--nats-url", &nowhere]), 1);
    assert_said(
        &lines,
        &["NATS: it can't be judged; can't connect to NATS", "schema of the store: none; run `netqoe migrate`"],
    );
}

#[test]
fn a_file_is_no_server() {
    let output = doctor(&["--database-url", "sqlite:some.db"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("give its folder as --data"));
}
