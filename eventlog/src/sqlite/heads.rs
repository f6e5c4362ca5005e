//! How far each partition goes, in memory: readers learn from it without a query whether there is something to read.

use std::sync::{Arc, Weak};

use netqoe_model::{Partition, Position};
use parking_lot::{Mutex, RwLock};

/// The end of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Its last record, 0 if it has none.
    pub last: Position,
    /// Records that were appended since the log was opened.
    pub appended: u64,
}

/// Called when there is something to read.
pub(super) struct Waker {
    pub partitions: Vec<Partition>,
    pub wake: Box<dyn Fn() + Send + Sync>,
}

/// The ends of all partitions, and the readers that wait for them to move.
pub(super) struct Heads {
    heads: RwLock<Vec<Head>>,
    /// Weak, so that a reader is forgotten with its last reference.
    wakers: Mutex<Vec<Weak<Waker>>>,
}

impl Heads {
    /// From each partition's last record.
    pub(super) fn new(last: impl IntoIterator<Item = Position>) -> Self {
        let heads = last.into_iter().map(|last| Head { last, appended: 0 }).collect();
        Self { heads: RwLock::new(heads), wakers: Mutex::default() }
    }

    /// The end of a partition; `None` if the log has no such partition.
    pub(super) fn get(&self, partition: Partition) -> Option<Head> {
        self.heads.read().get(usize::from(partition.0)).copied()
    }

    /// Takes in records that are durable, one for a partition.
    pub(super) fn advance(&self, records: &[(Partition, Position)]) {
        let mut heads = self.heads.write();
        for (partition, position) in records {
            if let Some(head) = heads.get_mut(usize::from(partition.0)) {
                *head = Head { last: *position, appended: head.appended + 1 };
            }
        }
    }

    /// From now on `waker` is woken, until its last reference is dropped.
    pub(super) fn register(&self, waker: &Arc<Waker>) {
        self.wakers.lock().push(Arc::downgrade(waker));
    }

    /// Wakes the readers of these partitions.
    pub(super) fn wake(&self, records: &[(Partition, Position)]) {
        let mut concerned = Vec::new();
        self.wakers.lock().retain(|waker| {
            let waker = waker.upgrade();
            let alive = waker.is_some();
            concerned.extend(waker.filter(|waker| records.iter().any(|(at, _)| waker.partitions.contains(at))));
            alive
        });
        // Outside of the lock: a waker may do anything.
        for waker in concerned {
            (waker.wake)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn wakes_who_is_concerned_and_forgets_who_is_gone() {
        let heads = Heads::new([Position(0), Position(4)]);
        let woken = Arc::new(AtomicUsize::new(0));
        let waker = |partition| {
            let woken = Arc::clone(&woken);
            let wake = Box::new(move || _ = woken.fetch_add(1, Ordering::Relaxed));
            Arc::new(Waker { partitions: vec![Partition(partition)], wake })
        };
        let (first, second) = (waker(0), waker(1));
        heads.register(&first);
        heads.register(&second);

        heads.wake(&[(Partition(1), Position(5))]);
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        heads.wake(&[(Partition(0), Position(6)), (Partition(1), Position(7))]);
        assert_eq!(woken.load(Ordering::Relaxed), 3);

        drop(second);
        heads.wake(&[(Partition(1), Position(8))]);
        assert_eq!((woken.load(Ordering::Relaxed), heads.wakers.lock().len()), (3, 1));
    }

    #[test]
    fn advances_partition_by_partition() {
        let heads = Heads::new([Position(0), Position(4)]);
        heads.advance(&[(Partition(0), Position(5)), (Partition(0), Position(6))]);
        assert_eq!(heads.get(Partition(0)), Some(Head { last: Position(6), appended: 2 }));
        assert_eq!(heads.get(Partition(1)), Some(Head { last: Position(4), appended: 0 }));
        assert_eq!(heads.get(Partition(2)), None);
    }
}
