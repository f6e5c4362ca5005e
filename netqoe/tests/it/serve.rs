//! `netqoe serve`: a store that nobody writes, one that `up` is writing, and one that `up` has left behind.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use netqoe_simulator::Scenario;
use netqoe_testbed::Database;
use serde_json::{Value, json};

use crate::support::*;
use crate::upgrade::recorded;

/// Target 1 to 5 have a fault of each kind in the last third.
const SCENARIO: Scenario =
    Scenario { seed: 5, clients: 4, targets: 6, minutes: 30, per_minute: 2, start_ms: 1_700_000_040_000, clean: true };
/// All windows of the scenario.
const RANGE: &str = "from=1700000000000&to=1700003600000";

fn write_scenario(path: &Path) {
    SCENARIO.write_to(&mut fs::File::create(path).unwrap()).unwrap();
}

/// What two stores of one log answer alike.
fn answers(port: u16) -> Vec<Value> {
    let paths = [
        "/api/v1/targets",
        "/api/v1/incidents",
        "/api/v1/matrix?to=1700001800000",
        "/api/v1/timeline?to=1700001800000",
    ];
    paths.map(|path| get(port, path).unwrap().json()).to_vec()
}

/// Starts `serve` on this store, and waits until it answers.
fn serve(store: &str) -> (Server, u16) {
    let mut command = netqoe();
    command.args(["serve", "--port", "0", "--store", store]);
    let mut server = Server::run(command, Arc::default());
    let port = server.port();
    eventually("the store is served", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    (server, port)
}

/// All files of a folder but those beside a store that hold nothing of it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    let holds_nothing =
        |(name, bytes): &(String, Vec<u8>)| name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty());
    named.filter(|file| !holds_nothing(file)).collect()
}

fn sqlite(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[test]
fn a_finished_replay_is_shown_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    write_scenario(&log);
    let stores = folder.path().join("stores");
    fs::create_dir(&stores).unwrap();
    let store = stores.join("store.db");
    let counts = replay(&log, &fs::read_to_string(&log).unwrap(), &store, &[]);
    let before = files(&stores);

    let (server, port) = serve(&sqlite(&store));
    let rows = get(port, &format!("/api/v1/aggregates?{RANGE}&limit=500")).unwrap().json();
    assert_eq!(rows["items"].as_array().unwrap().len(), 500.min(counts["rows"].as_u64().unwrap() as usize));
    assert_eq!(get(port, "/api/v1/overview").unwrap().json()["events"]["read"], counts["read"]);
    let pipeline = || get(port, "/api/v1/pipeline").unwrap().json();
    eventually("its progress is shown", || pipeline()["events"]["read"] == counts["read"]);
    let absent = json!({"kind": "none", "healthy": true, "message": "this server only reads a store"});
    let pipeline = pipeline();
    assert_eq!((&pipeline["log"], &pipeline["pipeline"]), (&absent, &absent));
    assert_eq!((&pipeline["store"]["kind"], &pipeline["dead_letters"]), (&json!("sqlite"), &Value::Null));
    let health = get(port, "/health").unwrap().json();
    assert_eq!(health, json!({"status": "ok", "components": {"store": {"status": "ok"}}}));
    let page = get(port, "/").unwrap();
    assert!(page.header("content-type").is_some_and(|what| what.starts_with("text/")), "{page:?}");
    server.stop();
    assert!(files(&stores) == before, "the store was changed");
}

#[test]
fn what_would_write_is_refused_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.db");
    replay(&folder.path().join("log"), &format!("{}\n", event("a", "client")), &store, &[]);
    let (code, said) = refused(&["--store", &sqlite(&store), "--listen", "0.0.0.0"]);
    assert!(code == Some(2) && said.contains("token"), "{said}");
    let (server, port) = serve(&sqlite(&store));
    for path in ["/api/v1/events", "/events"] {
        let answer = send(port, "POST", path, &[JSON], event("b", "client").to_string().as_bytes()).unwrap();
        assert_eq!((answer.status, &answer.json()["error"]), (405, &json!("method_not_allowed")));
        assert!(answer.body.contains("this server only reads a store"), "{answer:?}");
    }
    let cause = json!({"dimension": "everything", "value": []});
    let window = json!({"from": now_ms(), "to": now_ms() + 60_000, "cause": cause, "text": "new disks"}).to_string();
    let written = send(port, "POST", "/api/v1/maintenance", &[JSON], window.as_bytes()).unwrap();
    assert!(written.status == 503 && written.body.contains("only reads a store"), "{written:?}");
    let letters = get(port, "/api/v1/dead-letters").unwrap();
    assert!(letters.status == 503 && letters.body.contains("only reads a store"), "{letters:?}");
    let replayed = send(port, "POST", "/api/v1/dead-letters/1/replay", &[JSON], b"").unwrap();
    assert!(replayed.status == 503 && replayed.body.contains("only reads a store"), "{replayed:?}");
    server.stop();
}

/// The name of the next event of a live stream that has one.
fn next_event(stream: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the stream has ended");
        if let Some(name) = line.trim_end().strip_prefix("event: ") {
            return name.to_owned();
        }
    }
}

#[test]
fn a_store_that_up_writes_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (up, writing) = Server::start_and_wait(folder.path(), &[]);
    let (server, port) = serve(&sqlite(&folder.path().join(DATA_FILE)));
    let mut live = TcpStream::connect(("127.0.0.1", port)).unwrap();
    live.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(live, "GET /api/v1/live?detail=commits HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut live = BufReader::new(live);

    // One a moment: the stream tells of changes since it was first looked at.
    let mut sent = 0;
    let mut send_one = || {
        sent += 1;
        assert_eq!(post(writing, &[JSON], event(&format!("{sent}"), "berlin-1").to_string()).unwrap().status, 200);
    };
    let told = std::thread::spawn(move || next_event(&mut live));
    eventually("the stream tells of commits", || {
        send_one();
        told.is_finished()
    });
    assert_eq!(told.join().unwrap(), "commit");
    eventually("all rows are served", || {
        let rows = get(port, "/api/v1/aggregates").unwrap().json();
        let count = |row: &Value| row["count_total"].as_u64().unwrap();
        rows["items"].as_array().unwrap().iter().map(count).sum::<u64>() == sent
    });
    server.stop();
    up.stop();
}

/// Neither the file nor what waits beside it for the next `up`: a reader must not move it into the file.
#[test]
fn a_store_that_was_left_behind_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (up, port) = Server::start_and_wait(folder.path(), &[]);
    assert_eq!(post(port, &[JSON], event("a", "berlin-1").to_string()).unwrap().status, 200);
    let has_row = |port| get(port, "/api/v1/clients").unwrap().body.contains("berlin-1");
    eventually("it is in a row", || has_row(port));
    up.kill();
    let before = files(folder.path());
    assert!(before.keys().any(|name| name.ends_with("-wal")), "{:?}", before.keys());

    let (server, port) = serve(&sqlite(&folder.path().join(DATA_FILE)));
    assert!(has_row(port));
    server.stop();
    assert!(files(folder.path()) == before, "the store was changed");
}

/// The exit code and what was complained of.
fn refused(options: &[&str]) -> (Option<i32>, String) {
    let output = netqoe().args(["serve", "--port", "0"]).args(options).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_cant_be_shown_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("older.db"), recorded("sqlite-7.db.zst")).unwrap();
    rusqlite::Connection::open(path("other.db")).unwrap().execute_batch("CREATE TABLE t (n)").unwrap();
    fs::write(path("text.db"), "no database at all, and long enough to be taken for the head of one").unwrap();
    let before = files(folder.path());
    for (name, says) in [
        ("older.db", "run `netqoe migrate --database-url sqlite:"),
        ("other.db", "holds no store of netqoe"),
        ("text.db", "no SQLite database"),
        ("missing.db", "can't read the store"),
    ] {
        let (code, said) = refused(&["--store", &sqlite(&path(name))]);
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains(says) && said.contains(name) && said.trim().lines().count() == 1, "{name}: {said}");
    }
    assert!(files(folder.path()) == before, "a file was changed or made");
}

#[test]
fn a_postgresql_store_answers_as_a_sqlite_store_and_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh().unwrap();
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
    let (code, said) = refused(&["--store", database.url()]);
    assert!(code == Some(1) && said.contains("holds no store of netqoe"), "{said}");
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(client.query_one(tables, &[]).unwrap().get::<_, i64>(0), 0);

    let (log, store) = (folder.path().join("log.ndjson"), folder.path().join("store.db"));
    write_scenario(&log);
    for store in [&sqlite(&store), database.url()] {
        let output = netqoe().args(["replay", "--store", store, "--input"]).arg(&log).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let name: String = client.query_one("SELECT current_database()", &[]).unwrap().get(0);
    client.batch_execute(&format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).unwrap();
    let (of_sqlite, sqlite_port) = serve(&sqlite(&store));
    let (of_postgres, postgres_port) = serve(database.url());
    let (expected, found) = (answers(sqlite_port), answers(postgres_port));
    assert!(expected[0]["items"].as_array().unwrap().len() > 1);
    assert_eq!(found, expected);
    of_sqlite.stop();
    of_postgres.stop();
}
