//! Stores that earlier versions of netqoe have written: the present one opens each, brings it up to date, and goes on with it.
//! `recorded/README.md` says how they were made.

use std::path::{Path, PathBuf};
use std::process::Output;

use netqoe_testbed::Database;
use serde_json::{Value, json};

use crate::support::*;

const CLIENTS: [&str; 2] = ["berlin-1", "lyon-2"];
const TARGETS: [&str; 2] = ["https://shop.example/", "https://mail.example/"];

/// What is in each of the recorded stores: read, accepted, duplicate, late, invalid.
const RECORDED_LEDGER: [u64; 5] = [322, 320, 1, 1, 0];
const RECORDED_ROWS: usize = 164;
/// Rows of the fault that goes on at the end.
const RECORDED_HURT: usize = 24;
/// Columns of a row that schema 6 did not have, at the end of what `rows` reads.
const NETWORK_COLUMNS: usize = 3;

/// The data was recorded years before the test runs: nothing of it may be past its time, and the jump of the clock is right.
const PATIENT: [&str; 6] = ["--retention", "36500d", "--log-max-age", "36500d", "--believe-clock-after", "0s"];

pub(crate) fn recorded(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name);
    zstd::decode_all(&std::fs::read(path).unwrap()[..]).unwrap()
}

/// A data folder with a recorded file, in this folder.
fn data_with(folder: &Path, name: &str) -> PathBuf {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join(DATA_FILE), recorded(name)).unwrap();
    data
}

fn run(arguments: &[&str]) -> Output {
    netqoe().args(arguments).output().unwrap()
}

/// What a command prints last, as JSON.
#[track_caller]
fn printed(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap()
}

/// `rows`, without what this schema did not have.
fn rows_without(store: &Path, columns: usize) -> Vec<Vec<String>> {
    let mut rows = rows(store);
    for row in &mut rows {
        row.truncate(row.len() - columns);
    }
    rows
}

fn hurt_rows(store: &Path) -> usize {
    let rows = query(store, "SELECT 1 FROM agg_1m WHERE diagnosis_label = 'server-bound'");
    rows.len()
}

/// The events of `up` after the upgrade: one of each known pair, and one of a pair that is new.
fn send_more(port: u16) -> u64 {
    let known = CLIENTS.iter().flat_map(|client| TARGETS.map(|target| (*client, target)));
    let mut sent = 0;
    for (client, target) in known.chain([("oslo-3", TARGETS[0])]) {
        let mut event = event(&format!("after-{client}-{target}"), client);
        event["target"] = target.into();
        assert_eq!(post(port, &[JSON], event.to_string()).unwrap().status, 200);
        sent += 1;
    }
    sent
}

/// `up` goes on with a recorded file: old rows stay as they are, new events count, and all of it is what a replay makes of the log.
#[track_caller]
fn check_up(name: &str, missing_columns: usize) {
    let folder = tempfile::tempdir().unwrap();
    let data = data_with(folder.path(), name);
    let store = data.join(DATA_FILE);

    let (up, port) = Server::start_and_wait(&data, &PATIENT);
    assert_eq!(get(port, "/health").unwrap().status, 200, "{}", get(port, "/health").unwrap().body);
    let known = get(port, "/api/v1/clients").unwrap().body;
    assert!(CLIENTS.iter().all(|client| known.contains(client)), "{known}");
    let sent = send_more(port);
    let done = |status: &str| metric(port, &format!("telemetry_events_processed_total{{status=\"{status}\"}}"));
    eventually("what was sent is in rows", || done("success") == Some(sent as f64));
    up.stop();

    let mut expected = RECORDED_LEDGER;
    expected[0] += sent;
    expected[1] += sent;
    assert_eq!(ledger(&store).as_slice(), expected);
    assert_eq!((rows(&store).len(), hurt_rows(&store)), (RECORDED_ROWS + sent as usize, RECORDED_HURT));
    let replayed = folder.path().join("replayed.db");
    replay(&folder.path().join("log.ndjson"), &export(&data), &replayed, &[]);
    assert_eq!(rows_without(&store, missing_columns), rows_without(&replayed, missing_columns));
}

#[test]
fn up_goes_on_with_a_file_without_checksums_and_networks() {
    check_up("sqlite-6.db.zst", NETWORK_COLUMNS);
}

#[test]
fn up_goes_on_with_a_file_without_incidents() {
    check_up("sqlite-7.db.zst", 0);
}

/// Commands that only read do not change a file of an earlier version, and say what does.
#[test]
fn a_log_of_an_earlier_version_is_read_once_up_has_opened_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = data_with(folder.path(), "sqlite-6.db.zst");
    let refused = run(&["log", "export", "--data", data.to_str().unwrap()]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("start `netqoe up` on it once"), "{said}");
    let unchanged = std::fs::read(data.join(DATA_FILE)).unwrap() == recorded("sqlite-6.db.zst");
    assert!(unchanged, "a command that reads has changed the file");
}

/// The recorded events, and some of the next minutes.
fn longer_history(folder: &Path) -> String {
    let log = export(&data_with(folder, "sqlite-7.db.zst"));
    let mut events = events(&log);
    let last = events.last().unwrap().clone();
    for minute in 1..=5 {
        let mut event = last.clone();
        for time in ["ts_ms", "recv_ts_ms"] {
            event[time] = json!(last[time].as_i64().unwrap() + minute * 60_000);
        }
        event["event_id"] = json!(format!("after-{minute}"));
        events.push(event);
    }
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// A recorded PostgreSQL store is brought up to date without a change of its rows, and takes a longer history.
#[track_caller]
fn check_postgres(name: &str, network_unknown: u64) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::fresh().unwrap();
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
    client.batch_execute(&String::from_utf8(recorded(name)).unwrap()).unwrap();
    let (log, replayed) = (folder.path().join("log.ndjson"), folder.path().join("replayed.db"));
    let history = longer_history(folder.path());
    let recorded_part: String = history.lines().take(322).map(|line| format!("{line}\n")).collect();
    replay(&log, &recorded_part, &replayed, &[]);
    let fresh = format!("sqlite:{}", replayed.display());

    assert_eq!(printed(&["migrate", "--database-url", database.url()])["schema"], "up to date");
    // The final rows, as they were recorded, beside those that the present netqoe makes of the same events.
    let again = format!("sqlite:{}", folder.path().join("again.db").display());
    let log = log.to_str().unwrap();
    let compared = printed(&["replay", "--input", log, "--store", &again, "--diff", database.url()]);
    assert_eq!(
        (&compared["different"], &compared["network_unknown"]),
        (&json!(0), &json!(network_unknown)),
        "{compared}"
    );
    assert!(compared["equal"].as_u64().unwrap() > RECORDED_ROWS as u64 / 2, "{compared}");

    std::fs::remove_file(&replayed).unwrap();
    replay(Path::new(log), &history, &replayed, &[]);
    let compared = printed(&["replay", "--input", log, "--store", database.url(), "--diff", &fresh]);
    assert_eq!((&compared["different"], &compared["network_unknown"]), (&json!(0), &json!(0)), "{compared}");
    let rows: i64 = client.query_one("SELECT count(*) FROM public.agg_1m", &[]).unwrap().get(0);
    assert_eq!(rows as usize, RECORDED_ROWS + 5);
}

#[test]
fn a_postgresql_store_without_networks_goes_on() {
    check_postgres("postgres-5.sql.zst", 156);
}

#[test]
fn a_postgresql_store_without_incidents_goes_on() {
    check_postgres("postgres-6.sql.zst", 0);
}
