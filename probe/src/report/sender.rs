//! Sends what is in the spool, the oldest first, one batch after the other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netqoe_model::EventTime;
use netqoe_trace::{Kind, Tracer};
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::clocks::{Clocks, Suspect};
use super::connection::{Connection, NoAnswer};
use super::counts::Counts;
use super::spool::{Kept, Settled, SpoolError};
use super::spool_thread::{SpoolHandle, Standing};
use super::untimely::UntimelyTurns;
use super::verdict::{Answer, Delay, Judged, Sent, Verdict, judge};
use crate::clock_state::clock_state;

/// Events of one batch. An answer of ingest names this many refused events, so it names each one.
const MAX_BATCH_EVENTS: usize = 100;
/// From one batch to the next at least: a fifth of the requests that ingest takes of a client, also while an outage is caught up with.
/// What is measured meanwhile goes together.
const PACE: Duration = Duration::from_millis(50);

pub(super) struct Sender<C> {
    spool: SpoolHandle,
    connection: Connection,
    client_id: String,
    /// The wall clock that events are dated by.
    now: C,
    backoff: Backoff,
    untimely: UntimelyTurns,
    rng: StdRng,
    counts: Arc<Counts>,
    tracer: Tracer,
    /// Events of the next batch at most: fewer while it is searched which of them the endpoint refuses.
    most: usize,
    /// Why events wait, as it was last said; none while all goes well.
    trouble: Option<String>,
    /// Which clock is probably wrong, as last reported.
    suspect: Option<Suspect>,
}

impl<C: Fn() -> EventTime> Sender<C> {
    pub(super) fn new(
        spool: SpoolHandle,
        connection: Connection,
        client_id: String,
        now: C,
        backoff: Backoff,
        rng: StdRng,
        counts: Arc<Counts>,
    ) -> Self {
        let untimely = UntimelyTurns::new(backoff);
        let (tracer, most, trouble, suspect) = (Tracer::OFF, MAX_BATCH_EVENTS, None, None);
        Self { spool, connection, client_id, now, backoff, untimely, rng, counts, tracer, most, trouble, suspect }
    }

    /// Each batch has a span of this tracer.
    pub(super) fn traced(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
    }

    /// Until `stop`, and then until the spool is empty or something keeps it from becoming so.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let next = Instant::now() + PACE;
            match self.send_next().await {
                Ok(Progress::Sent) => sleep_until(next).await,
                Ok(Progress::Empty) if stop.is_cancelled() => return,
                Ok(Progress::Empty) => {
                    tokio::select! {
                        () = self.spool.fresh.notified() => {}
                        () = turn(self.untimely.next()) => {}
                        () = stop.cancelled() => {}
                    }
                }
                Err(delay) => {
                    self.counts.add_failed_try();
                    if stop.is_cancelled() {
                        return;
                    }
                    let wait = self.backoff.next(delay.retry_after, &mut self.rng);
                    self.say(delay.reason, wait);
                    tokio::select! {
                        () = sleep(wait) => {}
                        // One more try, so that nothing waits only because of its turn.
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    async fn send_next(&mut self) -> Result<Progress, Delay> {
        let batch = self.next_batch().await.map_err(at_once_again)?;
        if batch.is_empty() {
            return Ok(Progress::Empty);
        }
        let answer = self.post(&batch).await.map_err(at_once_again)?;
        let clocks = Clocks { ours: (self.now)(), endpoint: answer.date };
        match judge(&answer, batch.len(), clocks, |index| sent(&batch[index].event, &self.client_id)) {
            Verdict::Judged(judged) => {
                let untimely = judged.untimely.iter().map(|(_, ts)| *ts).max();
                let settled = self.settle(&batch, judged).await;
                self.compare(clocks, untimely);
                settled?;
            }
            Verdict::Split => self.most = (batch.len() / 2).max(1),
            Verdict::Later(delay) => return Err(delay),
        }
        Ok(Progress::Sent)
    }

    async fn post(&mut self, batch: &[Kept]) -> Result<Answer, NoAnswer> {
        let lines = lines(batch);
        let mut span = self.tracer.start("report", Kind::Client, None);
        span.set_count("netqoe.events", batch.len() as u64);
        span.set_count("netqoe.bytes", lines.len() as u64);
        let answer = self.connection.post(lines, span.context()).await;
        match &answer {
            Ok(answer) => span.set_count("http.response.status_code", answer.status.as_u16().into()),
            Err(_) => span.fail("the endpoint did not answer"),
        }
        answer
    }

    /// The oldest events; in turn with them, those whose time a clock did not believe.
    async fn next_batch(&mut self) -> Result<Vec<Kept>, SpoolError> {
        let now = Instant::now();
        if !self.untimely.goes_first(now) {
            let batch = self.spool.oldest(self.most).await?;
            if !batch.is_empty() || !self.untimely.is_due(now) {
                self.untimely.takes(false);
                return Ok(batch);
            }
        }
        self.untimely.takes(true);
        let batch = self.spool.earliest_untimely(self.most).await?;
        if batch.is_empty() {
            // The bounds have let go of them.
            self.untimely.settled(0, false, now, &mut self.rng);
        }
        Ok(batch)
    }

    async fn settle(&mut self, batch: &[Kept], judged: Judged) -> Result<(), Delay> {
        let Judged { refused, put_off, untimely, delay } = judged;
        for (index, reason) in &refused {
            warn!(spool_id = batch[*index].id, %reason, "an event was refused for good and is set aside");
        }
        let stays = |index: &usize| put_off.contains(index) || untimely.iter().any(|(other, _)| other == index);
        let is_taken = |index: &usize| !stays(index) && !refused.iter().any(|(other, _)| other == index);
        let settled = Settled {
            taken: (0..batch.len()).filter(is_taken).map(|index| batch[index].id).collect(),
            refused: refused.iter().map(|(index, reason)| (batch[*index].id, reason.clone())).collect(),
            untimely: untimely.iter().map(|(index, ts)| (batch[*index].id, *ts)).collect(),
        };
        let (taken, set_aside) = (settled.taken.len(), settled.refused.len());
        let Standing { events: waiting, untimely: untimely_waiting } =
            self.spool.settle(settled).await.map_err(at_once_again)?;
        self.counts.add_settled(taken, set_aside);
        if !untimely.is_empty() {
            self.counts.add_failed_try();
        }
        debug!(taken, set_aside, untimely = untimely.len(), waiting, "batch");
        let has_moved = self.untimely.had_the_last() && taken + set_aside > 0;
        self.untimely.settled(untimely_waiting, has_moved, Instant::now(), &mut self.rng);
        self.most = (self.most * 2).min(MAX_BATCH_EVENTS);
        match delay {
            Some(delay) => Err(delay),
            None => {
                self.backoff.reset();
                if self.trouble.take().is_some() {
                    info!(waiting, "events are sent again");
                }
                Ok(())
            }
        }
    }

    /// Reports which clock is probably wrong, when that shows and when it changes; `untimely` is the latest time that was not accepted.
    fn compare(&mut self, clocks: Clocks, untimely: Option<EventTime>) {
        let waiting = self.counts.now().untimely;
        match (clocks.suspect(untimely, clock_state()), self.suspect) {
            (Some(suspect), said) if said.is_none_or(|said| !suspect.is_like(said)) => {
                warn!(events_that_wait_for_it = waiting, "{suspect}");
                self.suspect = Some(suspect);
            }
            // What was measured while a clock was wrong may still wait.
            (None, Some(_)) if waiting == 0 => {
                info!("the endpoint takes the times of all events again");
                self.suspect = None;
            }
            _ => {}
        }
    }

    /// Logs why events wait when that begins and when it changes, not each time.
    fn say(&mut self, reason: String, wait: Duration) {
        if self.trouble.as_ref() == Some(&reason) {
            debug!(?wait, "events wait in the spool: {reason}");
        } else {
            warn!(?wait, "events wait in the spool: {reason}");
            self.trouble = Some(reason);
        }
    }
}

enum Progress {
    Sent,
    Empty,
}

fn at_once_again(error: impl std::error::Error) -> Delay {
    Delay { reason: error.to_string(), retry_after: None }
}

/// What the verdict is to know of an event, in a probe of this name. A line that is not an event has neither a name nor a time.
fn sent(event: &str, client_id: &str) -> Sent {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Named {
        client_id: String,
        ts_ms: Value,
    }
    let Named { client_id: name, ts_ms } = serde_json::from_str(event).unwrap_or_default();
    let ts_ms = ts_ms.as_i64().filter(|ts_ms| *ts_ms > 0);
    Sent { has_our_name: name == client_id, ts: ts_ms.map(EventTime::from_ms) }
}

/// At this moment, if there is one.
async fn turn(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn lines(batch: &[Kept]) -> Bytes {
    let mut lines = String::with_capacity(batch.iter().map(|kept| kept.event.len() + 1).sum());
    for kept in batch {
        lines.push_str(&kept.event);
        lines.push('\n');
    }
    lines.into()
}
