//! Rows as they are written, to whoever listens. A reader that is too slow is told what it missed; the pipeline is
//! never slowed.

use std::sync::Arc;

use netqoe_model::AggregateRow;
use netqoe_sinks::read::Filter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// Commits that a reader may be behind before it misses some: seconds of them, at the pace of a busy pipeline.
const KEPT_COMMITS: usize = 256;
/// Readers at once. Each costs a connection and the JSON of every row that it has not filtered out.
const MAX_READERS: usize = 100;

/// Rows of one commit.
type Rows = Arc<[AggregateRow]>;

/// Where the pipeline says what it has written. Clones are handles on the same feed.
#[derive(Clone, Debug)]
pub struct LiveFeed {
    sender: broadcast::Sender<Rows>,
    readers: Arc<Semaphore>,
}

impl LiveFeed {
    /// A feed that nobody listens to yet.
    pub fn new() -> Self {
        Self { sender: broadcast::Sender::new(KEPT_COMMITS), readers: Arc::new(Semaphore::new(MAX_READERS)) }
    }

    /// Whether anybody would see what is published.
    pub fn has_readers(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Shows rows that are in the store now. Never waits.
    pub fn publish(&self, rows: Rows) {
        // An error only says that nobody listens.
        self.sender.send(rows).unwrap_or_default();
    }

    /// A place among the readers; none where they are too many.
    pub(crate) fn subscribe(&self, filter: Filter) -> Option<LiveReader> {
        let place = Arc::clone(&self.readers).try_acquire_owned().ok()?;
        Some(LiveReader { receiver: self.sender.subscribe(), filter, _place: place })
    }
}

impl Default for LiveFeed {
    fn default() -> Self {
        Self::new()
    }
}

/// One reader of a [`LiveFeed`].
pub(crate) struct LiveReader {
    receiver: broadcast::Receiver<Rows>,
    filter: Filter,
    _place: OwnedSemaphorePermit,
}

/// What a live reader gets next.
#[derive(Debug)]
pub(crate) enum Live {
    /// A commit with rows for it.
    Rows(Vec<AggregateRow>),
    /// So many commits were missed.
    Lagged(u64),
}

impl LiveReader {
    /// Waits for the next; none once the feed is gone.
    pub(crate) async fn next(&mut self) -> Option<Live> {
        loop {
            match self.receiver.recv().await {
                Ok(rows) => {
                    let wanted: Vec<_> = rows.iter().filter(|row| self.wants(row)).cloned().collect();
                    if !wanted.is_empty() {
                        return Some(Live::Rows(wanted));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => return Some(Live::Lagged(missed)),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn wants(&self, row: &AggregateRow) -> bool {
        let Filter { client_id, target, from_ms, to_ms, label } = &self.filter;
        let start_ms = row.window.start.ms();
        client_id.as_ref().is_none_or(|client_id| **client_id == *row.client_id)
            && target.as_ref().is_none_or(|target| **target == *row.target)
            && from_ms.is_none_or(|from_ms| from_ms <= start_ms)
            && to_ms.is_none_or(|to_ms| start_ms < to_ms)
            && label.is_none_or(|label| row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.label == label))
    }
}
