//! The load tests that the performance guide prints get the answers that it expects: ids need not be UUIDs, old
//! timestamps are taken and count as late, and a client above its rate is told so.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{DEMO_TOKEN, JSON, Server, event, event_ids, events, eventually, export, metric, now_ms, post};

/// The default rate of a client, and its burst.
const RATE_PER_S: f64 = 100.0;
const BURST: f64 = 60.0;
/// The guide's 10,000 would only take longer.
const AB_REQUESTS: usize = 2_000;

/// The guide's `event.json`, with the members that it leaves out.
fn event_json() -> Value {
    let full = event("test-event-001", "load-test-client");
    json!({
        "event_id": "test-event-001",
        "client_id": "load-test-client",
        "ts_ms": 1_703_347_200_000_i64,
        "target": "http://test.example.com",
        "network_context": full["network_context"],
        "timing_measurements": full["timing_measurements"],
    })
}

fn processed(port: u16, status: &str) -> f64 {
    metric(port, &format!("telemetry_events_processed_total{{status=\"{status}\"}}")).unwrap_or_default()
}

/// How many of a client's requests may be taken in this time.
fn most_taken(elapsed: Duration) -> f64 {
    BURST + RATE_PER_S * elapsed.as_secs_f64() + 1.0
}

/// `ab -n … -c 100 -T application/json -p event.json URL`, and what it says after a name.
fn ab(url: &str, body: &Path, requests: usize) -> impl Fn(&str) -> Option<usize> + use<> {
    let mut command = Command::new("ab");
    command.args(["-n", &requests.to_string(), "-c", "100", "-T", "application/json", "-p"]).arg(body).arg(url);
    let output = command.output().expect("ab can be run: `cargo xtask test` installs it");
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    move |name| report.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[test]
fn apache_bench() {
    let folder = tempfile::tempdir().unwrap();
    let (data, body) = (folder.path().join("data"), folder.path().join("event.json"));
    std::fs::write(&body, event_json().to_string()).unwrap();
    let (server, port) = Server::start_and_wait(&data, &[]);

    let started = Instant::now();
    let said = ab(&format!("http://localhost:{port}/api/v1/events"), &body, AB_REQUESTS);
    let elapsed = started.elapsed();
    let (complete, refused) = (said("Complete requests:").unwrap(), said("Non-2xx responses:").unwrap_or_default());
    let taken = complete - refused;
    println!("ab: {complete} requests in {elapsed:.1?}, {taken} taken, {refused} above the rate");
    assert_eq!(complete, AB_REQUESTS);
    assert!(taken as f64 >= BURST && taken as f64 <= most_taken(elapsed), "{taken} taken in {elapsed:?}");

    let requests = |status| metric(port, &format!("telemetry_ingest_requests_total{{status=\"{status}\"}}"));
    assert_eq!((requests(200), requests(429).unwrap_or_default()), (Some(taken as f64), refused as f64));
    assert_eq!(metric(port, "telemetry_ingest_rate_limited_total"), Some(refused as f64));
    eventually("all of them count as late", || processed(port, "late") == taken as f64);
    assert_eq!((processed(port, "success"), processed(port, "duplicate")), (0.0, 0.0));
    server.stop();

    let logged = events(&export(&data));
    assert_eq!(logged.len(), taken, "what was answered with 200 is in the log, and nothing else");
    assert!(
        logged.iter().all(|event| event["event_id"] == "test-event-001" && event["ts_ms"] == 1_703_347_200_000_i64)
    );
}

/// `vegeta attack -header=… -body=@event.json`, whose many requests at once are one client's.
#[test]
fn vegeta() {
    const REQUESTS: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    // With the default rate, a machine that is slow enough would be above no rate.
    let (server, port) = Server::start_and_wait(folder.path(), &["--rate", "10"]);
    let body = event_json().to_string();
    let attack = |_| post(port, &[JSON, DEMO_TOKEN], &body).unwrap();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..REQUESTS / 8).map(attack).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(taken.len() >= BURST as usize && !refused.is_empty(), "{} taken, {} refused", taken.len(), refused.len());
    for answer in &taken {
        assert_eq!((&answer.json()["status"], &answer.json()["event_id"]), (&json!("ok"), &json!("test-event-001")));
    }
    for answer in refused {
        assert_eq!((answer.status, answer.json()["error"].as_str()), (429, Some("rate_limit_exceeded")));
        assert_eq!((answer.header("retry-after"), &answer.json()["retry_after"]), (Some("1"), &json!(1)));
        assert_eq!(answer.header("x-ratelimit-limit"), Some("10"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
        assert_eq!(answer.header("x-ratelimit-reset"), Some("6"));
    }
    eventually("all of them count as late", || processed(port, "late") == taken.len() as f64);
    server.stop();
    assert_eq!(events(&export(folder.path())).len(), taken.len());
}

/// `k6 run load-test.js`: each virtual user is a client of its own, with ids that are no UUIDs.
#[test]
fn k6() {
    const USERS: usize = 20;
    const ITERATIONS: usize = 10;
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &[]);
    std::thread::scope(|scope| {
        for user in 1..=USERS {
            scope.spawn(move || {
                for iteration in 0..ITERATIONS {
                    let mut payload = event(&format!("test-{user}-{iteration}"), &format!("client-{user}"));
                    payload["ts_ms"] = now_ms().into();
                    let answer = post(port, &[JSON, DEMO_TOKEN], payload.to_string()).unwrap();
                    assert_eq!(answer.status, 200, "{answer:?}");
                    assert_eq!(answer.header("x-ratelimit-limit"), Some("100"));
                }
            });
        }
    });
    let sent = (USERS * ITERATIONS) as f64;
    eventually("each of them counts once", || processed(port, "success") == sent);
    server.stop();
    assert_eq!(event_ids(&export(folder.path())).len(), USERS * ITERATIONS);
}
