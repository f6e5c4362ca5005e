//! Sends what is in the spool, the oldest first, one batch after the other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use serde::Deserialize;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::connection::Connection;
use super::counts::Counts;
use super::spool::{Kept, Settled};
use super::spool_thread::SpoolHandle;
use super::verdict::{Delay, Judged, Verdict, judge};

/// Events of one batch. An answer of ingest names so many that it refuses, so that it names each.
const MAX_BATCH_EVENTS: usize = 100;
/// From one batch to the next at least: a fifth of the requests that ingest takes of a client, also while an outage is caught up with.
/// What is measured meanwhile goes together.
const PACE: Duration = Duration::from_millis(50);

pub(super) struct Sender {
    spool: SpoolHandle,
    connection: Connection,
    client_id: String,
    backoff: Backoff,
    rng: StdRng,
    counts: Arc<Counts>,
    /// Events of the next batch at most: fewer while it is searched which of them the endpoint refuses.
    most: usize,
    /// Why events wait, as it was last said; none while all goes well.
    trouble: Option<String>,
}

impl Sender {
    pub(super) fn new(
        spool: SpoolHandle,
        connection: Connection,
        client_id: String,
        backoff: Backoff,
        rng: StdRng,
        counts: Arc<Counts>,
    ) -> Self {
        Self { spool, connection, client_id, backoff, rng, counts, most: MAX_BATCH_EVENTS, trouble: None }
    }

    /// Until `stop`, and then until the spool is empty or something keeps it from becoming so.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let next = Instant::now() + PACE;
            match self.send_oldest().await {
                Ok(Progress::Sent) => sleep_until(next).await,
                Ok(Progress::Empty) if stop.is_cancelled() => return,
                Ok(Progress::Empty) => {
                    tokio::select! {
                        () = self.spool.fresh.notified() => {}
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

    async fn send_oldest(&mut self) -> Result<Progress, Delay> {
        let batch = self.spool.oldest(self.most).await.map_err(at_once_again)?;
        if batch.is_empty() {
            return Ok(Progress::Empty);
        }
        let answer = self.connection.post(lines(&batch)).await.map_err(at_once_again)?;
        let has_our_name = |index: usize| client_id(&batch[index].event).as_deref() == Some(&*self.client_id);
        match judge(&answer, batch.len(), has_our_name) {
            Verdict::Judged(judged) => self.settle(&batch, judged).await?,
            Verdict::Split => self.most = (batch.len() / 2).max(1),
            Verdict::Later(delay) => return Err(delay),
        }
        Ok(Progress::Sent)
    }

    async fn settle(&mut self, batch: &[Kept], judged: Judged) -> Result<(), Delay> {
        let Judged { refused, put_off, delay } = judged;
        for (index, reason) in &refused {
            warn!(spool_id = batch[*index].id, %reason, "an event was refused for good and is set aside");
        }
        let is_taken = |index: &usize| !put_off.contains(index) && !refused.iter().any(|(other, _)| other == index);
        let settled = Settled {
            taken: (0..batch.len()).filter(is_taken).map(|index| batch[index].id).collect(),
            refused: refused.iter().map(|(index, reason)| (batch[*index].id, reason.clone())).collect(),
        };
        let (taken, set_aside) = (settled.taken.len(), settled.refused.len());
        let waiting = self.spool.settle(settled).await.map_err(at_once_again)?;
        self.counts.add_settled(taken, set_aside);
        debug!(taken, set_aside, waiting, "batch");
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

    /// Says what keeps events waiting when it begins and when it changes, not each time.
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

/// Under which name an event was measured.
fn client_id(event: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        client_id: String,
    }
    // What is no event has none.
    serde_json::from_str(event).ok().map(|Named { client_id }| client_id)
}

fn lines(batch: &[Kept]) -> Bytes {
    let mut lines = String::with_capacity(batch.iter().map(|kept| kept.event.len() + 1).sum());
    for kept in batch {
        lines.push_str(&kept.event);
        lines.push('\n');
    }
    lines.into()
}
