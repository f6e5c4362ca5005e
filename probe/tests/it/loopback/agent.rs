//! The agent keeps its schedule, reports everything that it measures, and ends when it is told to.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use netqoe_model::{ErrorStage, Event, EventTime};
use netqoe_probe::{Plan, ProbeCounts, Reporter, Target, run_probe};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::loopback::{plain_settings, refusing_socket};
use crate::support::web_server::{OK, Step, WebServer, answers};

#[derive(Debug, thiserror::Error)]
#[error("the log is full")]
struct Full;

/// Passes every event on to the test, and then takes it or not.
struct ToTest {
    events: UnboundedSender<String>,
    takes: bool,
}

impl Reporter for ToTest {
    type Error = Full;

    async fn report(&self, event_json: String) -> Result<(), Full> {
        self.events.send(event_json).unwrap();
        if self.takes { Ok(()) } else { Err(Full) }
    }
}

struct RunningAgent {
    events: UnboundedReceiver<String>,
    shutdown: CancellationToken,
    task: JoinHandle<ProbeCounts>,
}

const NOW: EventTime = EventTime::from_ms(1_703_347_200_000);

fn wall_clock() -> EventTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    EventTime::from_ms(since_epoch.as_millis().try_into().unwrap())
}

fn start(urls: &[String], change: impl FnOnce(&mut Plan), takes: bool) -> RunningAgent {
    start_with(urls, change, takes, || NOW)
}

fn start_with(urls: &[String], change: impl FnOnce(&mut Plan), takes: bool, now: fn() -> EventTime) -> RunningAgent {
    let targets = urls.iter().map(|url| url.parse::<Target>().unwrap().into()).collect();
    let mut plan = Plan::new(targets, "probe-1".to_owned());
    plan.interval = Duration::from_millis(20);
    plan.settings = plain_settings();
    change(&mut plan);
    let (sender, events) = unbounded_channel();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let task = tokio::spawn(async move {
        let reporter = ToTest { events: sender, takes };
        run_probe(plan, reporter, now, &mut StdRng::seed_from_u64(1), stop).await.unwrap()
    });
    RunningAgent { events, shutdown, task }
}

impl RunningAgent {
    async fn take(&mut self, count: usize) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..count {
            events.push(self.events.recv().await.unwrap());
        }
        events
    }

    /// What the agent counted, and the events that the test has not taken yet.
    async fn stop(mut self) -> (ProbeCounts, usize) {
        self.shutdown.cancel();
        let counts = self.task.await.unwrap();
        let mut left = 0;
        while self.events.recv().await.is_some() {
            left += 1;
        }
        (counts, left)
    }
}

#[tokio::test]
async fn every_measurement_of_every_target_is_reported_once() {
    let server = WebServer::start(answers(OK)).await;
    let (_socket, refused) = refusing_socket();
    let urls = [server.url("http", "127.0.0.1", "/"), format!("http://{refused}/")];
    let mut agent = start(&urls, |_| {}, true);
    let events = agent.take(20).await;
    let (counts, left) = agent.stop().await;

    assert_eq!(counts.reported, (events.len() + left) as u64);
    assert_eq!(counts.refused, 0);
    let events: Vec<_> = events.iter().map(|event| Event::parse(event.as_bytes()).unwrap()).collect();
    let ids: HashSet<_> = events.iter().map(|event| &event.event_id).collect();
    assert_eq!(ids.len(), events.len());
    assert!(events.iter().all(|event| event.client_id == "probe-1" && event.ts == NOW));
    for (url, stage) in urls.iter().zip([None, Some(ErrorStage::Tcp)]) {
        let of_target = || events.iter().filter(|event| event.target == *url);
        assert!(of_target().count() > 0 && of_target().all(|event| event.error_stage == stage), "{url}");
    }
}

#[tokio::test]
async fn turns_that_come_while_one_runs_are_skipped_and_counted() {
    let server = WebServer::start(vec![Step::ReadRequest, Step::Wait(Duration::from_millis(70)), Step::send(OK)]).await;
    let mut agent = start(&[server.url("http", "127.0.0.1", "/")], |_| {}, true);
    agent.take(5).await;
    let (counts, _) = agent.stop().await;
    assert!(counts.skipped >= 3 * counts.reported, "{counts:?}");
    assert_eq!(server.seen.lock().unwrap().most_open, 1, "a target is never measured twice at once");
}

#[tokio::test]
async fn no_more_measurements_at_once_than_planned() {
    let server = WebServer::start(vec![Step::ReadRequest, Step::Wait(Duration::from_millis(20)), Step::send(OK)]).await;
    let urls: Vec<_> = (0..8).map(|n| server.url("http", "127.0.0.1", &format!("/{n}"))).collect();
    let mut agent = start(&urls, |plan| plan.concurrency = 2, true);
    agent.take(16).await;
    agent.stop().await;
    assert_eq!(server.seen.lock().unwrap().most_open, 2);
}

#[tokio::test]
async fn a_reporter_that_refuses_stops_nothing() {
    let server = WebServer::start(answers(OK)).await;
    let mut agent = start(&[server.url("http", "127.0.0.1", "/")], |_| {}, false);
    agent.take(5).await;
    let (counts, left) = agent.stop().await;
    assert_eq!((counts.reported, counts.refused), (0, 5 + left as u64));
}

#[tokio::test]
async fn shutdown_gives_up_what_is_under_way() {
    let server = WebServer::start(vec![Step::ReadRequest, Step::Stall]).await;
    let agent = start(&[server.url("http", "127.0.0.1", "/")], |plan| plan.settings.timeout = Duration::MAX, true);
    while server.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (counts, left) = agent.stop().await;
    assert_eq!((counts, left), (ProbeCounts::default(), 0));
}

#[tokio::test]
async fn two_hundred_turns_take_two_hundred_intervals_whatever_a_measurement_takes() {
    const TURNS: u64 = 200;
    const INTERVAL_MS: i64 = 100;
    let server = WebServer::start(vec![Step::ReadRequest, Step::Wait(Duration::from_millis(80)), Step::send(OK)]).await;
    let change = |plan: &mut Plan| plan.interval = Duration::from_millis(INTERVAL_MS.unsigned_abs());
    let mut agent = start_with(&[server.url("http", "127.0.0.1", "/")], change, true, wall_clock);
    // A busy machine may make a measurement longer than its interval: then a turn is skipped, and says so.
    let (mut turn, mut latenesses_ms, mut first_ms) = (0, Vec::new(), None);
    while turn < TURNS {
        let json = agent.take(1).await.remove(0);
        let event: serde_json::Value = serde_json::from_str(&json).unwrap();
        let ts_ms = event["ts_ms"].as_i64().unwrap();
        turn += 1 + event["evidence"]["skipped_turns"].as_u64().unwrap_or(0);
        let first_ms = *first_ms.get_or_insert(ts_ms);
        latenesses_ms.push(ts_ms - first_ms - INTERVAL_MS * (i64::try_from(turn).unwrap() - 1));
    }
    let (counts, _) = agent.stop().await;
    assert!(counts.reported + counts.skipped >= TURNS, "{counts:?}");
    // Drift would make every later turn later. A busy machine makes some turns late, the first as well as the last; so the most punctual of each end
    // are compared.
    let (first, last) = (latenesses_ms.iter().take(50).min(), latenesses_ms.iter().rev().take(50).min());
    let drift_ms = last.unwrap() - first.unwrap();
    assert!((-10..=10).contains(&drift_ms), "{drift_ms} ms: {latenesses_ms:?}");
}
