//! What the page talks to, in a running `up`: the page itself, sessions, the live stream over a restart, the pipeline, and
//! dead letters that are tried again.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
use netqoe_model::{LogTime, Partition};
use serde_json::{Value, json};

use crate::support::{
    Answer, DATA_FILE, JSON, NO_RATE, Server, event, eventually, export, get, ledger, now_ms, post, query, send,
};

const LETTERS: &str = "/api/v1/dead-letters";
/// Neither JSON nor text.
const GARBAGE: &[u8] = b"\xff\x00 <img src=x onerror=alert(1)>";

/// Appends lines to the log of a data folder, as no ingest would.
fn append(folder: &Path, lines: &[&[u8]]) {
    let options = SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(now_ms())), Arc::default());
    let log = SqliteLog::open(&folder.join(DATA_FILE), options).unwrap();
    let appended = log.append(lines.iter().map(|line| (Partition(0), line.to_vec())).collect());
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(appended).unwrap();
    log.close();
}

fn letters(port: u16) -> Vec<Value> {
    get(port, LETTERS).unwrap().json()["items"].as_array().unwrap().clone()
}

fn replay(port: u16, letter: &Value) -> std::io::Result<Answer> {
    send(port, "POST", &format!("{LETTERS}/{}/replay", letter["id"].as_str().unwrap()), &[JSON], b"")
}

#[test]
fn a_letter_that_is_still_bad_comes_back_as_another() {
    let folder = tempfile::tempdir().unwrap();
    let long = vec![b'z'; 1 << 20];
    append(folder.path(), &[GARBAGE, &long]);
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    eventually("both are set aside", || letters(port).len() == 2);
    let before = letters(port);
    let garbage = before.iter().find(|letter| letter["bytes"] == GARBAGE.len()).unwrap();
    assert_eq!(garbage["original"], String::from_utf8_lossy(GARBAGE).as_ref());
    assert_eq!((&garbage["partition"], &garbage["is_cut"]), (&json!(0), &json!(false)));
    let cut = before.iter().find(|letter| letter["bytes"] == long.len()).unwrap();
    assert_eq!((cut["original"].as_str().unwrap().len(), &cut["is_cut"]), (4096, &json!(true)));
    assert_eq!(get(port, "/api/v1/pipeline").unwrap().json()["dead_letters"], 2);

    let answer = replay(port, garbage).unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({"replayed": true})));
    assert_eq!(replay(port, garbage).unwrap().status, 404, "once");
    eventually("it has come back", || letters(port).len() == 2 && letters(port)[0]["id"] != before[0]["id"]);
    let again = letters(port).remove(0);
    assert_eq!((&again["original"], &again["reason"]), (&garbage["original"], &garbage["reason"]));
    assert!(!letters(port).iter().any(|letter| letter["id"] == garbage["id"]));
    server.stop();
}

#[test]
fn other_sites_replay_nothing() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), &[GARBAGE]);
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    eventually("it is set aside", || letters(port).len() == 1);
    let path = format!("{LETTERS}/{}/replay", letters(port)[0]["id"].as_str().unwrap());
    for headers in [&[("Origin", "http://evil.example"), JSON][..], &[("Sec-Fetch-Site", "cross-site")], &[]] {
        assert_eq!(send(port, "POST", &path, headers, b"").unwrap().status, 403, "{headers:?}");
    }
    assert_eq!(get(port, &path).unwrap().status, 405);
    for id in ["", "0", "0-1", "0-1-0%2F..", "%ff", "0-1-0'--", &"9".repeat(5000)] {
        let answer = send(port, "POST", &format!("{LETTERS}/{id}/replay"), &[JSON], b"").unwrap();
        assert_eq!((answer.status, answer.json()["error"].as_str()), (404, Some("not_found")), "{id}");
    }
    assert_eq!(letters(port).len(), 1);
    server.stop();
}

/// An event from the future is none for the rules of today; with other rules it is counted, and however often the process is
/// killed while it is replayed, it is not lost.
#[test]
fn a_letter_is_in_one_place_at_least_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut early = event("early", "somebody");
    early["ts_ms"] = json!(now_ms() + 30 * 60_000);
    append(folder.path(), &[early.to_string().as_bytes()]);
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    eventually("it is set aside", || letters(port).len() == 1);
    let letter = letters(port).remove(0);
    assert!(letter["reason"].as_str().unwrap().contains("ahead"), "{letter}");
    server.stop();

    let rows = || query(&folder.path().join(DATA_FILE), "SELECT count(*) FROM agg_1m WHERE client_id = 'somebody'");
    let options = [&NO_RATE[..], &["--max-future", "1h"]].concat();
    for pause_ms in [0, 1, 2, 5, 10, 20] {
        let (server, port) = Server::start_and_wait(folder.path(), &options);
        let replaying = std::thread::spawn({
            let letter = letter.clone();
            move || replay(port, &letter)
        });
        std::thread::sleep(std::time::Duration::from_millis(pause_ms));
        server.kill();
        // Cut off, or answered.
        drop(replaying.join().unwrap());
        let kept = query(&folder.path().join(DATA_FILE), "SELECT count(*) FROM dead_letters");
        let is_appended = export(folder.path()).matches("\"early\"").count() > 1;
        assert!(kept[0] == ["Integer(1)"] || is_appended, "it is lost after {pause_ms} ms");
    }
    let (server, port) = Server::start_and_wait(folder.path(), &options);
    eventually("it is replayed", || {
        letters(port).is_empty() || replay(port, &letter).is_ok_and(|answer| answer.status == 200)
    });
    eventually("it is counted", || rows()[0] == ["Integer(1)"]);
    server.stop();
    let [read, accepted, duplicate, late, invalid] = ledger(&folder.path().join(DATA_FILE))[..] else { panic!() };
    assert_eq!((accepted, late, invalid), (1, 0, 1), "copies are counted once");
    assert_eq!(read, accepted + duplicate + late + invalid);
}

#[test]
fn who_signs_in_reads_and_replays_only_where_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), &[GARBAGE]);
    let mut command = crate::support::netqoe();
    command.args(["up", "--port", "0", "--listen", "127.0.0.1", "--data"]).arg(folder.path());
    command.env("NETQOE_TOKENS", "reader\nprobe=probe-1");
    let mut server = Server::run(command, Arc::default());
    let port = server.port();
    assert_eq!(get(port, "/").unwrap().header("x-content-type-options"), Some("nosniff"));
    assert_eq!(get(port, LETTERS).unwrap().status, 401);
    let sign_in =
        |token: &str| send(port, "POST", "/api/v1/session", &[JSON], json!({"token": token}).to_string().as_bytes());
    assert_eq!(sign_in("probe").unwrap().status, 401);
    let answer = sign_in("reader").unwrap();
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let reading = |path: &str| send(port, "GET", path, &[("Cookie", &cookie)], b"").unwrap();
    eventually("it is set aside", || reading(LETTERS).json()["items"][0]["id"].is_string());
    let letters = reading(LETTERS).json();
    assert_eq!(letters["may_replay"], true);
    assert_eq!(reading("/api/v1/session").json()["signed_in"], true);
    assert_eq!(reading("/api/v1/overview").status, 200);
    assert_eq!(post(port, &[JSON, ("Cookie", &cookie)], event("e", "c").to_string()).unwrap().status, 401);
    let path = format!("{LETTERS}/{}/replay", letters["items"][0]["id"].as_str().unwrap());
    assert_eq!(send(port, "POST", &path, &[JSON], b"").unwrap().status, 401);
    assert_eq!(send(port, "POST", &path, &[JSON, ("Cookie", &cookie)], b"").unwrap().status, 200);
    server.stop();
}

#[test]
fn nothing_is_replayed_on_an_address_that_others_reach() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), &[GARBAGE]);
    let mut command = crate::support::netqoe();
    command.args(["up", "--listen", "0.0.0.0", "--port", "0", "--data"]).arg(folder.path());
    command.env("NETQOE_TOKENS", "reader");
    let mut server = Server::run(command, Arc::default());
    let port = server.port();
    let token = ("Authorization", "Bearer reader");
    let letters = || send(port, "GET", LETTERS, &[token], b"").unwrap().json();
    eventually("it is set aside", || letters()["items"][0]["id"].is_string());
    assert_eq!(letters()["may_replay"], false);
    let how = letters()["how_to_replay"].as_str().unwrap().to_owned();
    assert!(how.starts_with(&format!("netqoe dlq replay --data {} ID", folder.path().display())), "{how}");
    let path = format!("{LETTERS}/{}/replay", letters()["items"][0]["id"].as_str().unwrap());
    assert_eq!(send(port, "POST", &path, &[token, JSON], b"").unwrap().status, 404);
    assert_eq!(letters()["items"].as_array().unwrap().len(), 1);
    server.stop();
}

/// Reads a live stream line by line.
struct Live(BufReader<TcpStream>);

impl Live {
    fn open(port: u16, query: &str, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
        let resumed = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET /api/v1/live?{query} HTTP/1.1\r\nHost: localhost\r\n{resumed}\r\n").unwrap();
        Self(BufReader::new(stream))
    }

    /// What follows this field's name, at its next occurrence.
    fn next(&mut self, field: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream has ended before {field}");
            if let Some(value) = line.trim_end().strip_prefix(field) {
                return value.to_owned();
            }
        }
    }
}

#[test]
fn a_reader_sees_events_at_once_and_is_told_of_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let (mut rows, mut commits) = (Live::open(port, "", None), Live::open(port, "detail=commits", None));
    let (first, _) = (rows.next("id: "), commits.next("id: "));
    post(port, &[JSON], event("e-1", "c").to_string()).unwrap();
    assert_eq!(rows.next("event: "), "row");
    let row: Value = serde_json::from_str(&rows.next("data: ")).unwrap();
    assert_eq!((&row["client_id"], &row["count_total"]), (&json!("c"), &json!(1)));
    assert_eq!(commits.next("event: "), "commit");
    let commit: Value = serde_json::from_str(&commits.next("data: ")).unwrap();
    assert_eq!((&commit["rows"], &commit["events"]), (&json!(1), &json!(1)));
    assert_eq!(get(port, "/api/v1/pipeline").unwrap().json()["live_readers"], 2);

    // Who was cut off before the first event gets it after all.
    let mut again = Live::open(port, "", Some(&first));
    again.next("id: ");
    let row: Value = serde_json::from_str(&again.next("data: ")).unwrap();
    assert_eq!(row["client_id"], "c");
    server.stop();

    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let mut rows = Live::open(port, "", Some(&first));
    rows.next("id: ");
    assert_eq!((rows.next("event: "), rows.next("data: ")), ("reset".to_owned(), "{}".to_owned()));
    post(port, &[JSON], event("e-2", "d").to_string()).unwrap();
    assert_eq!(rows.next("event: "), "row");
    server.stop();
}

#[test]
fn the_pipeline_is_shown_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &[&NO_RATE[..], &["-w", "2"]].concat());
    let pipeline = || get(port, "/api/v1/pipeline").unwrap().json();
    let idle = pipeline();
    assert_eq!((&idle["log"]["kind"], &idle["store"]["kind"]), (&json!("sqlite"), &json!("sqlite")));
    assert_eq!((&idle["processing_delay"], &idle["oldest_waiting_ms"]), (&json!(null), &json!(null)));
    let workers: Vec<_> = idle["partitions"].as_array().unwrap().iter().map(|partition| &partition["worker"]).collect();
    assert_eq!(workers, (0..16).map(|partition| partition % 2).collect::<Vec<_>>());

    for number in 0..20 {
        post(port, &[JSON], event(&format!("e-{}", number % 19), &format!("c-{number}")).to_string()).unwrap();
    }
    post(port, &[JSON], event("e-0", "c-0").to_string()).unwrap();
    eventually("all is committed", || pipeline()["events"]["read"] == 21 && pipeline()["lag_records"] == 0);
    let busy = pipeline();
    assert_eq!((&busy["events"]["accepted"], &busy["events"]["duplicate"]), (&json!(20), &json!(1)));
    assert_eq!((&busy["tracked_pairs"], &busy["open_windows"]), (&json!(20), &json!(20)));
    assert!(busy["processing_delay"]["p50_ms"].is_u64(), "{busy}");
    assert!(busy["partitions"].as_array().unwrap().iter().all(|partition| partition["waiting_records"] == 0), "{busy}");
    eventually("the rate is shown once its second is over", || pipeline()["events_per_s"].as_f64().unwrap() > 0.0);
    server.stop();

    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let events = get(port, "/api/v1/pipeline").unwrap().json()["events"].clone();
    assert_eq!((&events["read"], &events["accepted"]), (&json!(21), &json!(20)), "since the log began");
    server.stop();
}

/// What `dlq` prints for this data folder, or the last line of what it complains of.
fn dlq(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = crate::support::netqoe().arg("dlq").args(arguments).arg("--data").arg(folder).output().unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap().to_owned()),
    }
}

#[test]
fn letters_are_worked_on_from_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let missing = dlq(folder.path(), &["list"]).unwrap_err();
    assert!(missing.contains("there is no") && missing.contains("give the folder of `netqoe up`"), "{missing}");
    append(folder.path(), &[GARBAGE, b"[]", b"{}"]);
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    eventually("all are set aside", || letters(port).len() == 3);

    let listed = |arguments: &[&str]| -> Vec<String> {
        let lines = String::from_utf8(dlq(folder.path(), &[&["list"], arguments].concat()).unwrap()).unwrap();
        let letter = |line| serde_json::from_str::<Value>(line).unwrap();
        lines.lines().map(|line| letter(line)["position"].as_str().unwrap().to_owned()).collect()
    };
    let all = listed(&[]);
    assert_eq!(all, letters(port).iter().map(|letter| letter["id"].as_str().unwrap()).collect::<Vec<_>>());
    assert_eq!((listed(&["--limit", "1"]), listed(&["--after", &all[0]])), (all[..1].to_vec(), all[1..].to_vec()));
    assert_eq!(dlq(folder.path(), &["show", &all[2]]).unwrap(), GARBAGE);
    let busy = dlq(folder.path(), &["replay", "--all"]).unwrap_err();
    assert!(busy.contains("in use by another netqoe"), "{busy}");
    assert_eq!(dlq(folder.path(), &["purge", &all[1]]).unwrap(), b"{\"purged\":1}\n");
    server.stop();

    for (arguments, complaint) in [
        (["show", &all[1]], "there is no dead letter"),
        (["show", "17"], "17 names a letter of a stream"),
        (["purge", "1-2"], "give a position as `netqoe dlq list` shows it"),
    ] {
        let error = dlq(folder.path(), &arguments).unwrap_err();
        assert!(error.contains(complaint), "{error}");
    }
    assert_eq!(dlq(folder.path(), &["replay", "--all"]).unwrap(), b"{\"replayed\":2}\n");
    assert_eq!(listed(&[]), Vec::<String>::new());
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    eventually("both have come back", || letters(port).len() == 2);
    server.stop();
    assert_eq!(dlq(folder.path(), &["purge", "--all"]).unwrap(), b"{\"purged\":2}\n");
}
