//! Receivers of notifications, from the configuration file to a message.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use netqoe_testbed::Database;
use serde_json::Value;

use crate::jetstream::stage::Stage;
use crate::support::{DATA_FILE, Server, eventually, get, netqoe};

/// Takes each request, and gives its body to the test.
fn webhook() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, (sender, bodies)) = (format!("http://{}", listener.local_addr().unwrap()), channel());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            sender.send(String::from_utf8(body).unwrap()).ok();
        }
    });
    (url, bodies)
}

fn next(bodies: &Receiver<String>) -> Value {
    let body = bodies.recv_timeout(Duration::from_secs(120)).expect("a message comes");
    serde_json::from_str(&body).unwrap()
}

/// What `netqoe --config … notify …` prints, says and ends with.
fn notify(file: &Path, words: &[&str]) -> (String, String, Option<i32>) {
    let output = netqoe().arg("--config").arg(file).arg("notify").args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn a_test_message_shows_which_receivers_work() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    let (url, bodies) = webhook();
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table =
        |name: &str, url: &str| format!("[[notify.receiver]]\nname = '{name}'\nkind = 'webhook'\nurl = '{url}'\n");
    std::fs::write(&file, table("works", &url) + &table("away", &format!("http://{away}"))).unwrap();

    let (printed, said, code) = notify(&file, &["test"]);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert_eq!(lines[0], format!("works (webhook): delivered to {url}"));
    assert!(lines[1].starts_with(&format!("away (webhook): failed: can't reach http://{away}: ")), "{printed}");
    assert_eq!((said.trim(), code), ("netqoe: 1 of 2 receivers did not take the test message", Some(1)));
    assert_eq!(next(&bodies)["messages"][0]["event"], "test");

    let (printed, said, code) = notify(&file, &["test", "--receiver", "works"]);
    assert_eq!((printed.lines().count(), said.as_str(), code), (1, "", Some(0)));
    let (_, said, code) = notify(&file, &["test", "--receiver", "nobody"]);
    assert!(said.contains("there is no receiver `nobody`; there are away, works") && code == Some(2), "{said}");
}

#[test]
fn a_wrong_configuration_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    let slack = "[[notify.receiver]]\nname = 'chat'\nkind = 'slack'\nurl_file = '/nowhere/url'\n";
    for (text, words, says) in [
        ("", &["test"][..], "the configuration has no receivers"),
        (slack, &["test"], "receiver `chat`: can't read /nowhere/url"),
        (
            "[[notify.receiver]]\nname = 'a'\nkind = 'pigeon'",
            &["test"],
            "netqoe.toml: [[notify.receiver]]: unknown variant",
        ),
        ("[[notify.route]]\nreceivers = ['b']", &["list"], "names the receiver `b`"),
        ("[notify]\nnonesuch = 1", &["test"], "unknown key `notify.nonesuch`"),
        (slack, &["list", "--data", "/nowhere"], "there is no data file /nowhere/netqoe.db"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (_, said, code) = notify(&file, words);
        assert!(said.contains(says) && said.lines().count() == 1 && code == Some(2), "{text}: {code:?} {said}");
    }
    // A file with nothing but receivers is understood by every command.
    std::fs::write(&file, slack).unwrap();
    let check = netqoe().arg("--config").arg(&file).args(["config", "check"]).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{check:?}");
}

/// An incident that has stood for long, as whatever finds incidents leaves it. `time` is how the store writes Unix seconds.
fn incident(time: impl Fn(u32) -> String) -> String {
    let (zero, one, four) = (time(0), time(60), time(240));
    format!(
        "BEGIN;
         INSERT INTO incidents (id, label, cause_dimension, cause_value, state, opened, detected, named, last, severity,
             peak_severity, degraded_at_first, healthy_at_first, degraded_now, healthy_now, pairs, clients, targets,
             revision, as_of, updated_at)
         VALUES ('00000000000000aa', 'dns-bound', 'isp', '[\"isp-a\"]', 'open', {zero}, {zero}, {zero}, {one}, 'major', 'major',
             3, 0, 3, 0, 3, 2, 1, 0, {one}, {zero});
         INSERT INTO incident_revisions
             (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
             VALUES ('00000000000000aa', 0, {one}, 'opened', 'isp', '[\"isp-a\"]', 'major', 3);
         INSERT INTO fleet (only_row, through, degraded, healthy, unjudged, unmeasured) VALUES (1, {four}, 0, 0, 0, 0)
         ON CONFLICT DO NOTHING;
         COMMIT;"
    )
}

#[track_caller]
fn assert_told(bodies: &Receiver<String>) {
    let message = &next(bodies)["messages"][0];
    assert_eq!(message["id"], "00000000000000aa-0");
    let expected = "Major: name resolution is slow for provider isp-a, 3 pairs of 2 clients and 1 target";
    assert_eq!(message["summary"], expected);
}

/// `notify list` shows one message as delivered, and no other has come.
#[track_caller]
fn assert_told_once(file: &Path, words: &[&str], bodies: &Receiver<String>) {
    let (listed, said, code) = notify(file, words);
    let listed: Value = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}{said}"));
    assert_eq!((listed["receiver"].as_str(), listed["kind"].as_str(), code), (Some("ops"), Some("webhook"), Some(0)));
    assert_eq!((listed["waiting"].as_u64(), listed["delivered"].as_u64()), (Some(0), Some(1)));
    assert!(bodies.try_recv().is_err(), "it is told once");
}

#[test]
fn up_tells_an_open_incident_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, (url, bodies)) = (folder.path().join("netqoe.toml"), webhook());
    std::fs::write(&file, format!("[[notify.receiver]]\nname = 'ops'\nkind = 'webhook'\nurl = '{url}'\n")).unwrap();
    let options = ["--config", file.to_str().unwrap()];
    let (server, _) = Server::start_and_wait(folder.path(), &options);
    let connection = rusqlite::Connection::open(folder.path().join(DATA_FILE)).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection.execute_batch(&incident(|seconds| (seconds * 1_000).to_string())).unwrap();
    assert_told(&bodies);
    server.stop();
    let _again = Server::start_and_wait(folder.path(), &options);
    assert_told_once(&file, &["list", "--data", folder.path().to_str().unwrap()], &bodies);
}

#[test]
fn the_first_process_of_a_cluster_tells_and_ends_in_good_order() {
    let (stage, database) = (Stage::new(), Database::fresh().unwrap());
    let (file, (url, bodies)) = (stage.path("netqoe.toml"), webhook());
    std::fs::write(&file, format!("[[notify.receiver]]\nname = 'ops'\nkind = 'webhook'\nurl = '{url}'\n")).unwrap();
    stage.ingest().0.stop(); // makes the log
    let mut command = stage.aggregate(database.url());
    command.env("NETQOE_CONFIG", &file);
    let mut server = Server::run(command, Arc::default());
    let port = server.port();
    eventually("the cluster is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
    client.batch_execute(&incident(|seconds| format!("to_timestamp({seconds})"))).unwrap();
    assert_told(&bodies);
    server.stop();
    assert_told_once(&file, &["list", "--database-url", database.url()], &bodies);
}
