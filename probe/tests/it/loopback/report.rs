//! Events arrive in their order, whatever the endpoint does to them, and are then no longer in the spool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Version;
use netqoe_model::EventTime;
use netqoe_probe::{Askable, Plan, ReportCounts, ReportSettings, Reporter, Reporting, SpoolBounds, ToSpool, exporter};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::loopback::exporter::{get, value};
use crate::loopback::plain_settings;
use crate::support::ingest_server::{IngestServer, Refusal, Taken};
use crate::support::web_server::Authority;

const PATIENCE: Duration = Duration::from_mins(2);

/// A probe's reporting to a server, from a folder.
struct Report {
    server: IngestServer,
    folder: TempDir,
    reporting: Reporting,
}

impl Report {
    async fn start(change: impl FnOnce(&mut Taken, &mut ReportSettings)) -> Self {
        let server = IngestServer::start(None).await;
        Self::to(server, "http", change)
    }

    fn to(server: IngestServer, scheme: &str, change: impl FnOnce(&mut Taken, &mut ReportSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = format!("{scheme}://localhost:{}", server.address.port()).parse().unwrap();
        let mut settings = ReportSettings::new(endpoint, "me".to_owned(), folder.path().to_owned());
        settings.longest_wait = Duration::from_millis(20);
        change(&mut server.taken.lock().unwrap(), &mut settings);
        let reporting = Reporting::start(settings, || EventTime::from_ms(1_700_000_000_000), StdRng::seed_from_u64(1));
        Self { server, folder, reporting: reporting.unwrap() }
    }

    /// Another process on the same spool.
    fn again(server: IngestServer, folder: TempDir) -> Self {
        let endpoint = format!("http://localhost:{}", server.address.port()).parse().unwrap();
        let settings = ReportSettings::new(endpoint, "me".to_owned(), folder.path().to_owned());
        let reporting = Reporting::start(settings, || EventTime::from_ms(1_700_000_000_000), StdRng::seed_from_u64(2));
        Self { server, folder, reporting: reporting.unwrap() }
    }

    fn taken(&self) -> Vec<String> {
        self.server.taken.lock().unwrap().events.clone()
    }

    /// Waits until it is known of so many events what has become of them.
    async fn settled(&self, events: u64) -> ReportCounts {
        let began = Instant::now();
        loop {
            let counts = self.reporting.counts();
            if outcome(counts).iter().sum::<u64>() >= events {
                return counts;
            }
            assert!(began.elapsed() < PATIENCE, "{counts:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the answer to one more request.
    async fn another_request(&self) {
        let requests = || self.server.taken.lock().unwrap().heads.len();
        let (before, began) = (requests(), Instant::now());
        while requests() == before {
            assert!(began.elapsed() < PATIENCE, "{:?}", self.reporting.counts());
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn finish(self) -> (Taken, ReportCounts, Vec<String>) {
        let counts = self.reporting.finish().await;
        assert_eq!(column(&self.folder, "SELECT event FROM events"), Vec::<String>::new(), "the spool is empty");
        let set_aside = column(&self.folder, "SELECT event FROM set_aside ORDER BY id");
        (std::mem::take(&mut *self.server.taken.lock().unwrap()), counts, set_aside)
    }
}

fn column(folder: &TempDir, sql: &str) -> Vec<String> {
    let connection = Connection::open(folder.path().join("spool.db")).unwrap();
    let mut select = connection.prepare(sql).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn events(count: usize) -> Vec<String> {
    (0..count).map(|number| format!(r#"{{"event_id":"event-{number}-"}}"#)).collect()
}

async fn report(reporter: &ToSpool, events: &[String]) {
    for event in events {
        reporter.report(event.clone()).await.unwrap();
    }
}

/// How many events were sent, set aside and dropped.
fn outcome(counts: ReportCounts) -> [u64; 3] {
    [counts.sent, counts.set_aside, counts.dropped()]
}

/// Reports 250 events; they all arrive, once and in their order, after what the server does.
async fn all_arrive(change: impl FnOnce(&mut Taken, &mut ReportSettings)) -> Taken {
    let report_to = Report::start(change).await;
    report(&report_to.reporting.reporter(), &events(250)).await;
    report_to.settled(250).await;
    let (taken, counts, set_aside) = report_to.finish().await;
    assert_eq!(taken.events, events(250));
    assert_eq!((outcome(counts), set_aside), ([250, 0, 0], Vec::new()));
    taken
}

#[tokio::test]
async fn events_arrive_in_order_over_one_connection() {
    let taken = all_arrive(|_, settings| settings.token = Some("top-secret".parse().unwrap())).await;
    assert_eq!(taken.connections, 1);
    assert!(taken.batches.len() < 250 && taken.batches.iter().all(|events| *events <= 100), "{:?}", taken.batches);
    for (version, path, headers) in &taken.heads {
        assert_eq!((*version, path.as_str()), (Version::HTTP_11, "/api/v1/events"));
        assert_eq!(
            (&headers["authorization"], &headers["content-type"]),
            (&"Bearer top-secret".parse().unwrap(), &"application/x-ndjson".parse().unwrap())
        );
    }
}

/// Whether each request was compressed.
fn are_compressed(taken: &Taken) -> Vec<bool> {
    taken.heads.iter().map(|(_, _, headers)| headers.contains_key("content-encoding")).collect()
}

#[tokio::test]
async fn large_batches_are_compressed_unless_the_endpoint_refuses_that() {
    let report_to = |takes_only_plain| async move {
        let report_to = Report::start(|taken, _| {
            taken.takes_only_plain = takes_only_plain;
            // Until everything waits: then the batches are of a hundred.
            taken.refusals.extend((0..3).map(|_| Refusal::Answer(503, Some("1"), String::new())));
        })
        .await;
        report(&report_to.reporting.reporter(), &events(250)).await;
        report_to.settled(250).await;
        let (taken, counts, _) = report_to.finish().await;
        assert_eq!((&taken.events, outcome(counts)), (&events(250), [250, 0, 0]));
        (taken, counts.failed_tries)
    };
    let (taken, failed_tries) = report_to(false).await;
    // Forty events are about as many bytes as make it pay.
    let (large, small): (Vec<_>, Vec<_>) =
        taken.batches.iter().zip(are_compressed(&taken)).partition(|(events, _)| **events > 40);
    assert!(!large.is_empty() && large.iter().all(|(_, is_compressed)| *is_compressed), "{large:?}");
    assert!(small.iter().all(|(events, is_compressed)| **events > 35 || !is_compressed), "{small:?}");
    assert_eq!(failed_tries, 3);

    let (taken, failed_tries) = report_to(true).await;
    assert_eq!(
        are_compressed(&taken).into_iter().filter(|is_compressed| *is_compressed).count(),
        1,
        "{:?}",
        taken.batches
    );
    assert_eq!(failed_tries, 3, "who wants it plain gets it plain at once");
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_known_of() {
    let taken = all_arrive(|_, settings| settings.http2_prior_knowledge = true).await;
    assert_eq!(taken.connections, 1);
    assert!(taken.heads.iter().all(|(version, path, _)| *version == Version::HTTP_2 && path == "/api/v1/events"));
}

#[tokio::test]
async fn http2_is_agreed_on_over_tls() {
    let authority = Authority::new();
    for (tls, version) in
        [(authority.certify_http2("localhost"), Version::HTTP_2), (authority.certify("localhost"), Version::HTTP_11)]
    {
        let server = IngestServer::start(Some(tls)).await;
        let report_to = Report::to(server, "https", |_, settings| settings.roots = Arc::new(authority.roots()));
        report(&report_to.reporting.reporter(), &events(3)).await;
        report_to.settled(3).await;
        let (taken, counts, _) = report_to.finish().await;
        assert_eq!((taken.events, outcome(counts)), (events(3), [3, 0, 0]));
        assert_eq!(taken.heads[0].0, version);
    }
}

#[tokio::test]
async fn nothing_is_lost_while_nothing_is_taken() {
    let of_ingest = |error: &str| format!(r#"{{"error":"{error}","message":"come again"}}"#);
    all_arrive(|taken, _| {
        let answers = [
            (503, of_ingest("service_unavailable")),
            (401, of_ingest("unauthorized")),
            (403, String::new()),
            (429, of_ingest("rate_limit_exceeded")),
            (200, "<html>Welcome to our hotel</html>".to_owned()),
            (400, "<html>Bad Request</html>".to_owned()),
            (302, String::new()),
            (200, "x".repeat(1 << 20)),
        ];
        taken.refusals.extend(answers.map(|(status, body)| Refusal::Answer(status, None, body)));
    })
    .await;
}

/// On a clock that does not wait: wherever nothing else can go on, it jumps to the next time that somebody waits for.
#[tokio::test(start_paused = true)]
async fn an_outage_of_two_minutes_is_caught_up_with_and_asked_about_seldom() {
    const OUTAGE: Duration = Duration::from_mins(2);
    let report_to = Report::start(|taken, settings| {
        taken.away_until = Some(tokio::time::Instant::now() + 1000 * OUTAGE);
        settings.longest_wait = Duration::from_secs(30);
    })
    .await;
    report(&report_to.reporting.reporter(), &events(250)).await;
    let requests_before = {
        let mut taken = report_to.server.taken.lock().unwrap();
        taken.away_until = Some(tokio::time::Instant::now() + OUTAGE);
        taken.batches.len()
    };
    report_to.settled(250).await;
    let (taken, counts, _) = report_to.finish().await;
    assert_eq!(taken.events, events(250));
    assert_eq!(outcome(counts), [250, 0, 0]);
    // The waits double up to half a minute, and each is random up to that. Then three requests bring 250 events.
    let requests = taken.batches.len() - requests_before;
    assert!((4..=40).contains(&requests), "{requests} requests from the beginning of {OUTAGE:?}: {:?}", taken.batches);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let began = Instant::now();
    all_arrive(|taken, _| taken.refusals.push_back(Refusal::Answer(503, Some("2"), String::new()))).await;
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn retry_after_may_be_a_date_of_the_endpoints_own_clock() {
    // Its clock is years behind: by this machine's, the date has long passed.
    let of_its_clock = "Thu, 01 Jan 2015 00:00:02 GMT";
    let began = Instant::now();
    all_arrive(|taken, _| {
        taken.refusals.push_back(Refusal::Dated(503, "Thu, 01 Jan 2015 00:00:00 GMT", of_its_clock));
    })
    .await;
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn events_wait_for_the_clock_that_refuses_them_and_hold_up_no_others() {
    let clock_ms = 1_699_999_000_000_i64;
    let event = |name: &str, ts_ms: i64| format!(r#"{{"event_id":"{name}","ts_ms":{ts_ms}}}"#);
    let (early, late) = (event("early", clock_ms), event("late", clock_ms + 600_000));
    let far = event("far", clock_ms + 9_000_000);
    let report_to = Report::start(|taken, _| taken.clock_ms = Some(clock_ms)).await;
    report(&report_to.reporting.reporter(), &[far.clone(), late.clone(), early.clone()]).await;
    let counts = report_to.settled(1).await;
    assert_eq!((outcome(counts), report_to.taken()), ([1, 0, 0], vec![early.clone()]));
    // More than a batch of them, and something new behind them.
    let many: Vec<_> = (0..250).map(|number| event(&number.to_string(), clock_ms + 600_000)).collect();
    report(&report_to.reporting.reporter(), &many).await;
    let fresh = event("fresh", clock_ms - 1);
    report(&report_to.reporting.reporter(), std::slice::from_ref(&fresh)).await;
    report_to.settled(2).await;
    assert_eq!(report_to.taken(), [early, fresh]);
    assert_eq!(report_to.reporting.counts().untimely, 252);

    report_to.server.taken.lock().unwrap().clock_ms = Some(clock_ms + 600_000);
    report_to.settled(253).await;
    let mut arrived = report_to.taken().split_off(2);
    arrived.sort();
    let mut expected = [vec![late], many].concat();
    expected.sort();
    assert_eq!(arrived, expected);

    // What waits outlives the process, and is tried anew.
    let Report { server, folder, reporting } = report_to;
    reporting.finish().await;
    assert_eq!(column(&folder, "SELECT event FROM events"), [far]);
    server.taken.lock().unwrap().clock_ms = Some(clock_ms + 9_000_000);
    let report_to = Report::again(server, folder);
    report_to.settled(1).await;
    let (taken, counts, set_aside) = report_to.finish().await;
    assert_eq!((taken.events.len(), outcome(counts), set_aside), (254, [1, 0, 0], Vec::new()));
}

#[tokio::test]
async fn a_batch_whose_answer_is_lost_is_sent_again() {
    let report_to = Report::start(|taken, _| taken.refusals.push_back(Refusal::TakenAndLost)).await;
    report(&report_to.reporting.reporter(), &events(50)).await;
    report_to.settled(50).await;
    let (taken, counts, _) = report_to.finish().await;
    let (lost, rest) = taken.events.split_at(taken.batches[0]);
    assert_eq!((lost, rest), (&events(lost.len())[..], &events(50)[..]), "the same events with the same ids");
    assert_eq!((taken.connections, outcome(counts), counts.failed_tries), (2, [50, 0, 0], 1));
}

#[tokio::test]
async fn an_event_that_is_refused_does_not_hold_up_others() {
    let poison = |event: &String| !event.contains("event-7-");
    let rest: Vec<_> = events(120).into_iter().filter(poison).collect();
    for refused_whole in [None, Some(400), Some(413)] {
        let report_to = Report::start(|taken, _| match refused_whole {
            None => taken.refused_alone = Some("event-7-"),
            Some(status) => taken.refused_whole = Some(("event-7-", status)),
        })
        .await;
        report(&report_to.reporting.reporter(), &events(120)).await;
        report_to.settled(120).await;
        let (taken, counts, set_aside) = report_to.finish().await;
        assert_eq!(taken.events, rest, "{refused_whole:?}");
        assert_eq!(set_aside, events(120)[7..8], "{refused_whole:?}");
        assert_eq!(outcome(counts), [119, 1, 0]);
    }
}

#[tokio::test]
async fn what_the_bounds_drop_is_counted() {
    let report_to = Report::start(|taken, settings| {
        taken.refused_whole = Some(("event", 503));
        settings.bounds = SpoolBounds { max_bytes: events(100)[70..].concat().len() as u64, ..SpoolBounds::default() };
    })
    .await;
    report(&report_to.reporting.reporter(), &events(100)).await;
    assert_eq!(outcome(report_to.settled(70).await), [0, 0, 70]);
    // A batch that was on its way may hold what was dropped meanwhile.
    report_to.another_request().await;
    report_to.server.taken.lock().unwrap().refused_whole = None;
    report_to.settled(100).await;
    let (taken, counts, _) = report_to.finish().await;
    assert_eq!(taken.events, events(100)[70..]);
    assert_eq!((outcome(counts), counts.too_many), ([30, 0, 70], 70));
}

#[tokio::test]
async fn metrics_show_what_waits_and_what_became_of_the_rest() {
    let report_to = Report::start(|taken, settings| {
        taken.refused_alone = Some("event-9-");
        settings.bounds = SpoolBounds { max_bytes: events(40)[20..].concat().len() as u64, ..SpoolBounds::default() };
    })
    .await;
    let reporter = report_to.reporting.reporter();
    report(&reporter, &events(10)).await;
    report_to.settled(10).await;
    report_to.server.taken.lock().unwrap().refused_whole = Some(("event", 503));
    // The spool has room for the last twenty of those that nobody takes.
    report(&reporter, &events(60)[30..]).await;
    let plan = Plan { settings: plain_settings(), ..Plan::new(Vec::new(), "me".to_owned()) };
    let exporter = exporter(&plan, Some(report_to.reporting.watch()), Askable::Any);
    let began = Instant::now();
    let figure = |text: &str, name: &str| value(text, &format!("telemetry_probe_spool_{name}"));
    let text = loop {
        let (_, text) = get(&exporter, "/metrics").await;
        if figure(&text, "failures_total") >= Some(1.0) {
            break text;
        }
        assert!(began.elapsed() < PATIENCE, "{text}");
        sleep(Duration::from_millis(5)).await;
    };
    for (name, expected) in [
        ("events", 20.0),
        ("bytes", events(60)[40..].concat().len() as f64),
        ("sent_total", 9.0),
        ("set_aside_total", 1.0),
        ("dropped_total{reason=\"bytes\"}", 10.0),
        ("dropped_total{reason=\"age\"}", 0.0),
    ] {
        assert_eq!(figure(&text, name), Some(expected), "{name}: {text}");
    }
    report_to.server.taken.lock().unwrap().refused_whole = None;
    assert_eq!(outcome(report_to.settled(40).await), [29, 1, 10]);
    let (_, text) = get(&exporter, "/metrics").await;
    assert_eq!((figure(&text, "events"), figure(&text, "bytes")), (Some(0.0), Some(0.0)), "{text}");
    report_to.finish().await;
}
