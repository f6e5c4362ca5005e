//! The turns of one target, one after the other.

use std::sync::Arc;

use netqoe_model::EventTime;
use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{Agent, Observing, ProbeCounts, Reporter, Schedule};
use crate::{Measurement, PlannedTarget, Settings, Stamp, Target};

pub(super) struct Turns<R, C, M> {
    agent: Arc<Agent<R, C, M>>,
    planned: PlannedTarget,
    settings: Arc<Settings>,
    schedule: Schedule,
    rng: StdRng,
    counts: ProbeCounts,
    observing: Observing,
    /// Turns that were skipped since the last measurement.
    skipped: u64,
}

impl<R, C, M, F> Turns<R, C, M>
where
    R: Reporter,
    C: Fn() -> EventTime + Send + Sync,
    M: Fn(Target, Arc<Settings>) -> F + Send + Sync,
    F: Future<Output = Measurement> + Send,
{
    /// The first turn is within an interval from now.
    pub(super) fn new(agent: &Arc<Agent<R, C, M>>, planned: PlannedTarget, mut rng: StdRng) -> Self {
        let now = agent.began.elapsed();
        let schedule = Schedule::with_jitter(now, planned.interval.unwrap_or(agent.plan.interval), &mut rng);
        let schedule = if agent.plan.at_once { schedule.beginning_at_once(now) } else { schedule };
        let observing = agent.plan.observations.of(&planned.target);
        let all = &agent.settings;
        let settings = if planned.own.is_empty() { Arc::clone(all) } else { Arc::new(planned.own.over(all)) };
        let (agent, counts) = (Arc::clone(agent), ProbeCounts::default());
        Self { agent, planned, settings, schedule, rng, counts, observing, skipped: 0 }
    }

    /// Until `stop`.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> ProbeCounts {
        loop {
            let turn = self.take_turn(self.agent.began + self.schedule.next_at());
            let Some((measurement, ts)) = stop.run_until_cancelled(turn).await else { return self.counts };
            self.report(measurement, ts).await;
            self.skipped = self.schedule.finish_turn(self.agent.began.elapsed());
            self.counts.skipped += self.skipped;
            self.observing.skipped(self.skipped);
            if self.skipped > 0 {
                let (target, skipped) = (&self.planned.target, self.skipped);
                warn!(%target, skipped, "turns skipped: the measurement before them took longer than the interval");
            }
        }
    }

    /// Waits for the turn and for a free place, then measures; the time is that of the beginning.
    async fn take_turn(&self, at: Instant) -> (Measurement, EventTime) {
        sleep_until(at).await;
        // Fails only on a closed semaphore, and nothing closes this one.
        let _permit = self.agent.permits.acquire().await;
        let ts = (self.agent.now)();
        ((self.agent.measure)(self.planned.target.clone(), Arc::clone(&self.settings)).await, ts)
    }

    async fn report(&mut self, mut measurement: Measurement, ts: EventTime) {
        measurement.evidence.skipped_turns = self.skipped;
        let target = &self.planned.target;
        match &measurement.failure {
            Some(failure) => info!(%target, stage = failure.stage().as_str(), "measurement failed: {failure}"),
            None => debug!(%target, "measured"),
        }
        let event = measurement.to_labelled_event(Stamp {
            event_id: &event_id(ts, &mut self.rng),
            client_id: &self.agent.plan.client_id,
            ts,
            client_labels: &self.agent.plan.labels,
            target_labels: &self.planned.labels,
        });
        self.observing.measured(measurement, ts);
        match self.agent.reporter.report(event).await {
            Ok(()) => self.counts.reported += 1,
            Err(error) => {
                self.counts.refused += 1;
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
