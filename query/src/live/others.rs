//! Commits of other processes, of which this one learns from the store.

use std::sync::Arc;
use std::time::Duration;

use netqoe_model::{Checkpoint, Partition, WindowStart};
use netqoe_sinks::read::{ReadError, Reader, Snapshot};
use tokio_util::sync::CancellationToken;

use super::LiveFeed;

/// How often the store is asked while somebody listens: a few rows, for a page that is behind by this much at most.
const EVERY: Duration = Duration::from_millis(500);

/// Shows in `feed` what was committed of partitions that are not this process's own, until `stop`.
pub async fn watch_others(
    feed: LiveFeed,
    reader: Arc<dyn Reader>,
    is_own: impl Fn(Partition) -> bool,
    stop: CancellationToken,
) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen: Option<Seen> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        if !feed.is_listened_to() {
            // Whoever comes asks the store first.
            seen = None;
            continue;
        }
        let reader = Arc::clone(&reader);
        let Ok(checkpoints) = tokio::task::spawn_blocking(move || reader.ask(look)).await else {
            continue;
        };
        match checkpoints.map(|(checkpoints, through)| Seen { through, ..Seen::of(&checkpoints, &is_own) }) {
            Ok(now) => {
                if let Some(before) = seen.replace(now).filter(|before| *before != now) {
                    feed.publish_elsewhere(now.events.saturating_sub(before.events), now.as_of_ms);
                }
            }
            // Such a reader is counted and shown where it is used; the next look is half a second away.
            Err(error) => tracing::debug!("commits of other processes are not seen: {error}"),
        }
    }
}

/// How far partitions have come, and the newest look that incidents reflect: another process may follow the fleet.
fn look(store: Snapshot<'_>) -> Result<(Vec<Checkpoint>, Option<WindowStart>), ReadError> {
    Ok((store.rows.checkpoints()?, store.incidents.tally()?.map(|(through, _)| through)))
}

/// What other processes have committed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    /// Sum over their partitions, which grows with each commit.
    processed: u64,
    events: u64,
    as_of_ms: i64,
    through: Option<WindowStart>,
}

impl Seen {
    fn of(checkpoints: &[Checkpoint], is_own: impl Fn(Partition) -> bool) -> Self {
        let others = checkpoints.iter().filter(|checkpoint| !is_own(checkpoint.partition));
        others.fold(Self::default(), |seen, checkpoint| Self {
            processed: seen.processed + checkpoint.processed.0,
            events: seen.events + checkpoint.ledger.read,
            as_of_ms: seen.as_of_ms.max(checkpoint.log_time.ms()),
            through: None,
        })
    }
}
