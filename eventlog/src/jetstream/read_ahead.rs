//! What was read of the stream but not taken yet: a queue between the task that follows the stream and its reader.

use std::collections::VecDeque;

use netqoe_model::{Chunk, Partition, Position};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::LogError;

/// Bytes that may lie ready: some turns of a worker, so that it never waits for the network while there is anything
/// to read.
const MAX_READY_BYTES: usize = 16 << 20;

type Wake = Box<dyn Fn() + Send + Sync>;

/// The queue, with what is known of the stream behind it.
#[derive(Default)]
pub(super) struct ReadAhead {
    state: Mutex<State>,
    wake: Mutex<Option<Wake>>,
    /// Told whenever something is taken, or the reader is gone.
    taken: Notify,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    ready_bytes: usize,
    /// Messages among `chunks`.
    ready_messages: u64,
    /// Messages of the stream after those, as far as the server has said.
    pending: u64,
    /// Everything up to here is in `chunks`, was taken, or is of no concern.
    scanned: Position,
    /// Why nothing more will come.
    failed: Option<LogError>,
    closed: bool,
}

impl ReadAhead {
    /// Takes in what there is for this reader up to a place, and wakes it where that is something.
    pub(super) fn put(&self, chunks: impl IntoIterator<Item = Chunk>, scanned: Position, pending: u64) {
        let mut arrived = false;
        {
            let mut state = self.state.lock();
            state.scanned = state.scanned.max(scanned);
            state.pending = pending;
            for chunk in chunks {
                arrived = true;
                state.ready_bytes += footprint_bytes(&chunk);
                state.ready_messages += u64::from(is_message(&chunk));
                state.chunks.push_back(chunk);
            }
        }
        if arrived {
            self.wake();
        }
    }

    /// Says why nothing more will come.
    pub(super) fn fail(&self, error: LogError) {
        self.state.lock().failed = Some(error);
        self.wake();
    }

    /// Returns once there is room for `bytes` more, or none is needed since the reader is gone.
    pub(super) async fn has_room(&self, bytes: usize) {
        loop {
            let taken = self.taken.notified();
            {
                let state = self.state.lock();
                // An empty queue has room for anything.
                if state.closed || state.ready_bytes == 0 || state.ready_bytes + bytes <= MAX_READY_BYTES {
                    return;
                }
            }
            taken.await;
        }
    }

    /// Returns once the reader is gone.
    pub(super) async fn closed(&self) {
        loop {
            let taken = self.taken.notified();
            if self.state.lock().closed {
                return;
            }
            taken.await;
        }
    }

    /// What lies ready, up to about `max_bytes` but one chunk at least where there is one. After the last of it, why
    /// nothing more comes.
    pub(super) fn take(&self, max_bytes: usize) -> Result<Vec<Chunk>, LogError> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        {
            let mut state = self.state.lock();
            while bytes < max_bytes || taken.is_empty() {
                let Some(chunk) = state.chunks.pop_front() else { break };
                bytes += footprint_bytes(&chunk);
                state.ready_messages -= u64::from(is_message(&chunk));
                taken.push(chunk);
            }
            state.ready_bytes -= bytes;
            if taken.is_empty()
                && let Some(error) = state.failed.take()
            {
                return Err(error);
            }
        }
        if !taken.is_empty() {
            self.taken.notify_waiters();
        }
        Ok(taken)
    }

    /// Messages that were not taken.
    pub(super) fn lag(&self) -> u64 {
        let state = self.state.lock();
        state.ready_messages + state.pending
    }

    /// Those of one partition; `None` while the server has more, of unknown partitions.
    pub(super) fn lag_of(&self, partition: Partition) -> Option<u64> {
        let state = self.state.lock();
        let is_its = |chunk: &&Chunk| chunk.partition == Some(partition) && is_message(chunk);
        (state.pending == 0).then(|| state.chunks.iter().filter(is_its).count() as u64)
    }

    /// Messages of the stream after those that lie ready, as far as the server has said.
    pub(super) fn pending(&self) -> u64 {
        self.state.lock().pending
    }

    /// Everything up to here lies ready, was taken, or is of no concern.
    pub(super) fn scanned(&self) -> Position {
        self.state.lock().scanned
    }

    /// Everything up to here was taken, or is of no concern.
    pub(super) fn taken_through(&self) -> Position {
        let state = self.state.lock();
        state.chunks.front().map_or(state.scanned, |next| Position(next.position.0.saturating_sub(1)))
    }

    /// Calls `wake` whenever something arrives.
    pub(super) fn on_arrival(&self, wake: Wake) {
        *self.wake.lock() = Some(wake);
        // What came before this is not missed.
        let state = self.state.lock();
        let waiting = !state.chunks.is_empty() || state.failed.is_some();
        drop(state);
        if waiting {
            self.wake();
        }
    }

    /// Nothing will be taken any more.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.taken.notify_waiters();
    }

    fn wake(&self) {
        if let Some(wake) = &*self.wake.lock() {
            wake();
        }
    }
}

/// What a chunk takes in memory: one without text isn't free.
fn footprint_bytes(chunk: &Chunk) -> usize {
    size_of::<Chunk>() + chunk.lines.len()
}

/// A chunk without a log time stands for no message: it says how far the stream has come.
fn is_message(chunk: &Chunk) -> bool {
    chunk.log_time.is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use netqoe_model::{LogTime, Partition};

    use super::*;

    fn message(position: u64, bytes: usize) -> Chunk {
        Chunk {
            partition: Some(Partition(0)),
            position: Position(position),
            log_time: Some(LogTime::from_ms(1)),
            lines: vec![b'x'; bytes],
            set_aside: None,
            came_late: false,
            trace: None,
        }
    }

    fn positions(chunks: &[Chunk]) -> Vec<u64> {
        chunks.iter().map(|chunk| chunk.position.0).collect()
    }

    #[test]
    fn what_lies_ready_was_not_taken_and_what_is_of_no_concern_is_passed() {
        let ahead = ReadAhead::default();
        ahead.put(Some(message(2, 0)), Position(4), 0);
        assert_eq!(ahead.taken_through(), Position(1));
        ahead.take(usize::MAX).unwrap();
        assert_eq!(ahead.taken_through(), Position(4));
        ahead.put(None, Position(7), 0);
        assert_eq!(ahead.taken_through(), Position(7));
    }

    #[test]
    fn hands_out_in_order_and_counts_what_is_left() {
        let ahead = ReadAhead::default();
        ahead.put(Some(message(1, 100)), Position(1), 9);
        ahead.put(Some(Chunk { log_time: None, ..message(2, 0) }), Position(2), 8);
        ahead.put(None, Position(5), 4);
        ahead.put(Some(message(6, 100)), Position(6), 3);
        assert_eq!((ahead.lag(), ahead.scanned()), (5, Position(6)));
        assert_eq!(positions(&ahead.take(1).unwrap()), [1]);
        assert_eq!(positions(&ahead.take(1_000).unwrap()), [2, 6]);
        assert_eq!(ahead.lag(), 3);
        assert_eq!(ahead.take(1).unwrap(), []);
    }

    #[test]
    fn room_is_bounded_by_bytes() {
        let ahead = ReadAhead::default();
        let has_room = |bytes| ahead.has_room(bytes).now_or_never().is_some();
        assert!(has_room(2 * MAX_READY_BYTES));
        ahead.put(Some(message(1, MAX_READY_BYTES / 2)), Position(1), 0);
        assert!(has_room(MAX_READY_BYTES / 4) && !has_room(MAX_READY_BYTES / 2));
        ahead.take(1).unwrap();
        assert!(has_room(MAX_READY_BYTES / 2));
        ahead.put(Some(message(1, MAX_READY_BYTES)), Position(1), 0);
        ahead.close();
        assert!(has_room(1), "waiting ends when the reader is gone");
    }

    #[test]
    fn a_failure_comes_after_what_was_read() {
        let ahead = ReadAhead::default();
        ahead.put(Some(message(1, 1)), Position(1), 0);
        ahead.fail(LogError::Stream { log: "s".to_owned(), reason: "gone".to_owned() });
        assert_eq!(positions(&ahead.take(1).unwrap()), [1]);
        assert!(ahead.take(1).is_err());
    }

    #[test]
    fn the_reader_is_woken_for_what_arrives_and_for_what_had() {
        let ahead = ReadAhead::default();
        ahead.put(Some(message(1, 1)), Position(1), 0);
        let woken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&woken);
        ahead.on_arrival(Box::new(move || _ = count.fetch_add(1, Ordering::Relaxed)));
        ahead.put(None, Position(2), 0);
        ahead.put(Some(message(3, 1)), Position(3), 0);
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }
}
