//! The schedule, on a clock that the tests keep.

use std::convert::Infallible;

use netqoe_model::Event;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::{Evidence, Phases};

const INTERVAL: Duration = Duration::from_millis(100);

struct ToTest(UnboundedSender<String>);

impl Reporter for ToTest {
    type Error = Infallible;

    async fn report(&self, event_json: String) -> Result<(), Infallible> {
        self.0.send(event_json).unwrap();
        Ok(())
    }
}

struct Running {
    events: UnboundedReceiver<String>,
    targets: watch::Sender<Vec<PlannedTarget>>,
    shutdown: CancellationToken,
    task: JoinHandle<ProbeCounts>,
}

fn targets(urls: &[&str]) -> Vec<PlannedTarget> {
    urls.iter().map(|url| url.parse::<Target>().unwrap().into()).collect()
}

/// An agent whose every measurement takes as long as said, by a clock that stands still during work.
fn start(urls: &[&str], takes: Duration) -> Running {
    let (sender, events) = unbounded_channel();
    let (list, receiver) = watch::channel(targets(urls));
    let plan = Plan { targets: receiver, interval: INTERVAL, ..Plan::new(Vec::new(), "probe-1".to_owned()) };
    let began = Instant::now();
    let now = move || EventTime::from_ms(began.elapsed().as_millis() as i64 + 1);
    let measure = move |target, _| async move {
        sleep(takes).await;
        let (phases, evidence) = (Phases::default(), Evidence::default());
        Measurement { target, phases, total: takes, evidence, failure: None }
    };
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let mut rng = StdRng::seed_from_u64(1);
    let run = async move { run_with(plan, ToTest(sender), now, measure, &mut rng, stop).await.unwrap() };
    Running { events, targets: list, shutdown, task: tokio::spawn(run) }
}

impl Running {
    async fn next(&mut self) -> String {
        self.events.recv().await.unwrap()
    }

    async fn stop(self) -> ProbeCounts {
        self.shutdown.cancel();
        self.task.await.unwrap()
    }
}

fn ts_ms(event: &str) -> i64 {
    Event::parse(event.as_bytes()).unwrap().ts.ms()
}

fn skipped(event: &str) -> Value {
    serde_json::from_str::<Value>(event).unwrap()["evidence"]["skipped_turns"].clone()
}

#[tokio::test(start_paused = true)]
async fn two_hundred_turns_are_two_hundred_measurements_without_drift() {
    let mut agent = start(&["http://example.com"], Duration::from_millis(80));
    let mut at_ms = Vec::new();
    for _ in 0..200 {
        at_ms.push(ts_ms(&agent.next().await));
    }
    let first = at_ms[0];
    for (turn, at_ms) in (0..).zip(&at_ms) {
        // The clock's timers are good to a millisecond.
        assert!((at_ms - first - 100 * turn).abs() <= 1, "turn {turn} at {at_ms}, the first at {first}");
    }
    assert_eq!(agent.stop().await, ProbeCounts { reported: 200, refused: 0, skipped: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_skipped_is_reported_with_the_next() {
    let mut agent = start(&["http://example.com"], Duration::from_millis(250));
    assert_eq!(skipped(&agent.next().await), Value::Null);
    for _ in 0..3 {
        assert_eq!(skipped(&agent.next().await), 2);
    }
    let counts = agent.stop().await;
    assert_eq!((counts.reported, counts.skipped), (4, 8));
}

#[tokio::test(start_paused = true)]
async fn a_new_list_adds_and_stops_targets_and_disturbs_no_other() {
    let (a, b, c) = ("http://a.test/", "http://b.test/", "http://c.test/");
    let mut agent = start(&[a, b], Duration::from_millis(1));
    sleep(INTERVAL * 2).await;
    agent.targets.send(targets(&[b, c])).unwrap();
    sleep(INTERVAL * 3).await;
    agent.shutdown.cancel();
    let mut turns: HashMap<String, Vec<i64>> = HashMap::new();
    while let Some(event) = agent.events.recv().await {
        turns.entry(Event::parse(event.as_bytes()).unwrap().target.into_owned()).or_default().push(ts_ms(&event));
    }
    assert_eq!((turns[a].len(), turns[b].len(), turns[c].len()), (2, 5, 3), "{turns:?}");
    let steps: Vec<_> = turns[b].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| (99..=101).contains(step)), "{steps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_of_which_something_else_is_said_is_measured_in_that_way() {
    let mut agent = start(&["http://a.test"], Duration::from_millis(1));
    agent.next().await;
    let often = PlannedTarget { interval: Some(INTERVAL / 10), ..targets(&["http://a.test"]).remove(0) };
    agent.targets.send(vec![often]).unwrap();
    sleep(INTERVAL).await;
    while agent.events.try_recv().is_ok() {}
    let at_ms = [ts_ms(&agent.next().await), ts_ms(&agent.next().await)];
    assert!((9..=11).contains(&(at_ms[1] - at_ms[0])), "{at_ms:?}");
    agent.stop().await;
}
