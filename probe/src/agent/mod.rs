//! The agent: all its targets, each on its schedule, each measurement reported.

mod client_id;
mod schedule;

use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::EventTime;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{Measurement, Settings, Target, measure};
pub use client_id::{HostNameError, host_name};
pub use schedule::{DEFAULT_INTERVAL, Schedule};

/// Measurements that run at the same time where nothing else is said: few enough not to disturb each other on a
/// home line.
const DEFAULT_CONCURRENCY: usize = 5;

/// Where events go.
pub trait Reporter: Send + Sync + 'static {
    /// Why an event could not be taken.
    type Error: std::error::Error + Send;

    /// Takes one event, as one line of JSON. An event that is refused is logged and counted, and not offered again.
    fn report(&self, event_json: String) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What an agent does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it measures.
    pub targets: Vec<Target>,
    /// Under which name.
    pub client_id: String,
    /// From one turn of a target to its next: 1 ms to a day.
    pub interval: Duration,
    /// How many measurements may run at the same time; 0 is taken as 1.
    pub concurrency: usize,
    /// How each is made.
    pub settings: Settings,
}

impl Plan {
    /// Every 30 s, five at a time, with the default settings.
    pub fn new(targets: Vec<Target>, client_id: String) -> Self {
        let (interval, concurrency) = (DEFAULT_INTERVAL, DEFAULT_CONCURRENCY);
        Self { targets, client_id, interval, concurrency, settings: Settings::default() }
    }
}

/// What became of the turns of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeCounts {
    /// Measurements that were made and reported, failed ones among them.
    pub reported: u64,
    /// Measurements that the reporter refused.
    pub refused: u64,
    /// Turns that were passed over because the one before was still running.
    pub skipped: u64,
}

impl AddAssign for ProbeCounts {
    fn add_assign(&mut self, other: Self) {
        self.reported += other.reported;
        self.refused += other.refused;
        self.skipped += other.skipped;
    }
}

/// A target's task ended without being asked to.
#[derive(Debug, thiserror::Error)]
#[error("the probe has stopped measuring: {0}; this is a bug, please report it")]
pub struct AgentStopped(#[from] JoinError);

/// What the tasks of all targets share.
struct Agent<R, C> {
    plan: Plan,
    reporter: R,
    now: C,
    permits: Semaphore,
    began: Instant,
    shutdown: CancellationToken,
}

/// Measures every target of `plan` on its schedule until `shutdown`, and reports each measurement.
///
/// `now` is the wall clock that events are dated by; `rng` gives phases and event ids. On shutdown, measurements under
/// way are given up, a report under way is completed.
///
/// # Errors
/// [`AgentStopped`], where a task has ended otherwise than by `shutdown`.
pub async fn run_probe<R, C>(
    plan: Plan,
    reporter: R,
    now: C,
    rng: &mut impl Rng,
    shutdown: CancellationToken,
) -> Result<ProbeCounts, AgentStopped>
where
    R: Reporter,
    C: Fn() -> EventTime + Send + Sync + 'static,
{
    let permits = Semaphore::new(plan.concurrency.clamp(1, Semaphore::MAX_PERMITS));
    let agent = Arc::new(Agent { plan, reporter, now, permits, began: Instant::now(), shutdown });
    let mut tasks = JoinSet::new();
    for target in agent.plan.targets.clone() {
        let (agent, rng) = (Arc::clone(&agent), StdRng::from_rng(rng));
        tasks.spawn(async move { agent.run_target(&target, rng).await });
    }
    let mut counts = ProbeCounts::default();
    while let Some(ended) = tasks.join_next().await {
        counts += ended?;
    }
    Ok(counts)
}

impl<R, C> Agent<R, C>
where
    R: Reporter,
    C: Fn() -> EventTime + Send + Sync,
{
    /// One target's turns, one after the other, until shutdown.
    async fn run_target(&self, target: &Target, mut rng: StdRng) -> ProbeCounts {
        let mut schedule = Schedule::with_jitter(self.plan.interval, &mut rng);
        let mut counts = ProbeCounts::default();
        loop {
            let turn = self.take_turn(target, self.began + schedule.next_at());
            let Some((measurement, ts)) = self.shutdown.run_until_cancelled(turn).await else { return counts };
            self.report(&measurement, ts, &mut rng, &mut counts).await;
            let skipped = schedule.finish_turn(self.began.elapsed());
            if skipped > 0 {
                warn!(%target, skipped, "turns skipped: the measurement before them took longer than the interval");
            }
            counts.skipped += skipped;
        }
    }

    /// Waits for the turn and for a free place, then measures; the time is that of the beginning.
    async fn take_turn(&self, target: &Target, at: Instant) -> (Measurement, EventTime) {
        tokio::time::sleep_until(at).await;
        // Fails only on a closed semaphore, and nothing closes this one.
        let _permit = self.permits.acquire().await;
        let ts = (self.now)();
        (measure(target, &self.plan.settings).await, ts)
    }

    async fn report(&self, measurement: &Measurement, ts: EventTime, rng: &mut StdRng, counts: &mut ProbeCounts) {
        let target = &measurement.target;
        match &measurement.failure {
            Some(failure) => info!(%target, stage = failure.stage().as_str(), "measurement failed: {failure}"),
            None => debug!(%target, "measured"),
        }
        let event = measurement.to_event(&event_id(ts, rng), &self.plan.client_id, ts);
        match self.reporter.report(event).await {
            Ok(()) => counts.reported += 1,
            Err(error) => {
                counts.refused += 1;
                warn!(%target, "the measurement could not be reported and is lost: {error}");
            }
        }
    }
}

/// A UUID of version 7: ordered by time, random beyond that.
fn event_id(ts: EventTime, rng: &mut StdRng) -> String {
    let mut random = [0; 10];
    rng.fill_bytes(&mut random);
    uuid::Builder::from_unix_timestamp_millis(ts.ms().unsigned_abs(), &random).into_uuid().to_string()
}
