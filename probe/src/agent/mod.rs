//! The agent: all its targets, each on its schedule, each measurement reported.
//!
//! It decides when to measure and knows nothing of how: `measure` is handed in, so that tests can keep its time.

mod client_id;
mod observations;
mod schedule;
#[cfg(test)]
mod tests;
mod turns;

use std::collections::HashMap;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::EventTime;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{Labels, Measurement, PlannedTarget, Settings, Target, measure};
pub use client_id::{HostNameError, host_name};
pub use observations::Observations;
pub(crate) use observations::{Observed, Observing};
pub use schedule::{DEFAULT_INTERVAL, Schedule};
use turns::Turns;

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
    /// What it measures; a new list replaces the old one, and targets that are in both go on undisturbed.
    pub targets: watch::Receiver<Vec<PlannedTarget>>,
    /// Under which name.
    pub client_id: String,
    /// What the client is called beside that.
    pub labels: Labels,
    /// From one turn of a target to its next: 1 ms to a day.
    pub interval: Duration,
    /// Whether the first turn of each target comes at once, and not at a random time within the interval.
    pub at_once: bool,
    /// How many measurements may run at the same time; 0 is taken as 1.
    pub concurrency: usize,
    /// How each is made.
    pub settings: Settings,
    /// Where the latest results are kept for readers.
    pub observations: Observations,
}

impl Plan {
    /// Every 30 s, five at a time, with the default settings, always the same targets.
    pub fn new(targets: Vec<PlannedTarget>, client_id: String) -> Self {
        // The list stays readable without its sender, and never changes.
        let (_, targets) = watch::channel(targets);
        let (interval, concurrency) = (DEFAULT_INTERVAL, DEFAULT_CONCURRENCY);
        let (settings, observations) = (Settings::default(), Observations::default());
        let labels = Labels::default();
        Self { targets, client_id, labels, interval, at_once: false, concurrency, settings, observations }
    }
}

/// What became of the turns of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeCounts {
    /// Measurements that were made and reported, failed ones among them.
    pub reported: u64,
    /// Measurements that the reporter refused.
    pub refused: u64,
    /// Turns that were skipped because the one before was still running.
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
struct Agent<R, C, M> {
    plan: Plan,
    reporter: R,
    now: C,
    measure: M,
    /// How targets are measured of which nothing is said.
    settings: Arc<Settings>,
    permits: Semaphore,
    began: Instant,
}

/// Measures every target of `plan` on its schedule until `shutdown`, and reports each measurement.
///
/// `now` is the wall clock that events are dated by; `rng` gives phases and event ids. On shutdown, and where a target is no
/// longer in the list, measurements under way are given up; a report under way is completed.
///
/// # Errors
/// [`AgentStopped`], if a task has ended otherwise than by `shutdown`.
pub async fn run_probe<R, C>(
    plan: Plan,
    reporter: R,
    now: C,
    rng: &mut (impl Rng + Send),
    shutdown: CancellationToken,
) -> Result<ProbeCounts, AgentStopped>
where
    R: Reporter,
    C: Fn() -> EventTime + Send + Sync + 'static,
{
    let measure = async |target: Target, settings: Arc<Settings>| measure(&target, &settings).await;
    run_with(plan, reporter, now, measure, rng, shutdown).await
}

/// The same with another way to measure.
async fn run_with<R, C, M, F>(
    plan: Plan,
    reporter: R,
    now: C,
    measure: M,
    rng: &mut (impl Rng + Send),
    shutdown: CancellationToken,
) -> Result<ProbeCounts, AgentStopped>
where
    R: Reporter,
    C: Fn() -> EventTime + Send + Sync + 'static,
    M: Fn(Target, Arc<Settings>) -> F + Send + Sync + 'static,
    F: Future<Output = Measurement> + Send,
{
    let permits = Semaphore::new(plan.concurrency.clamp(1, Semaphore::MAX_PERMITS));
    let mut targets = plan.targets.clone();
    let settings = Arc::new(plan.settings.clone());
    let agent = Arc::new(Agent { plan, reporter, now, measure, settings, permits, began: Instant::now() });
    let mut running: HashMap<String, (PlannedTarget, CancellationToken)> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut counts = ProbeCounts::default();
    loop {
        let wanted = targets.borrow_and_update().clone();
        stop_others(&mut running, &wanted);
        for planned in wanted {
            if running.contains_key(planned.target.as_str()) {
                continue;
            }
            let stop = shutdown.child_token();
            running.insert(planned.target.as_str().to_owned(), (planned.clone(), stop.clone()));
            let (agent, rng) = (Arc::clone(&agent), StdRng::from_rng(rng));
            tasks.spawn(async move { Turns::new(&agent, planned, rng).run(&stop).await });
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            Ok(()) = targets.changed() => {}
            Some(ended) = tasks.join_next() => counts += ended?,
        }
    }
    while let Some(ended) = tasks.join_next().await {
        counts += ended?;
    }
    Ok(counts)
}

/// Stops what is measured and no longer wanted, or wanted in another way.
fn stop_others(running: &mut HashMap<String, (PlannedTarget, CancellationToken)>, wanted: &[PlannedTarget]) {
    let wanted: HashMap<_, _> = wanted.iter().map(|planned| (planned.target.as_str(), planned)).collect();
    running.retain(|url, (planned, stop)| {
        let now = wanted.get(url.as_str()).copied();
        let is_wanted = now == Some(planned);
        if !is_wanted {
            info!(target = %url, "{}", if now.is_some() { "measured in another way" } else { "no longer measured" });
            stop.cancel();
        }
        is_wanted
    });
}
