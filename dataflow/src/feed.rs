//! What a worker reads from, and how the workers agree on epochs.
//!
//! Decisions: D-004, D-015.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use netqoe_model::{Chunk, Partition};

/// What a worker reads in one turn.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The dataflow's time for all that follows from it. Where the log has no partitions, epochs are in log order.
    pub epoch: u64,
    /// In log order within each partition.
    pub chunks: Vec<Chunk>,
    /// Whether what follows from this batch can wait for a later one: events are counted, and windows close with the
    /// next batch that says no. Never decides what a row finally says.
    pub more_follows: bool,
    /// Partitions whose open windows should be shown as they stand after this batch. Never decides what a row finally
    /// says.
    pub flush: Vec<Partition>,
    /// Partitions say how far they have come once they have come to their mark, whether there is anything new or not.
    pub marks: Vec<Mark>,
    /// Whether the log ends with this batch: the partitions in `flush` take their last look, as if a tick had followed.
    pub ends: bool,
}

/// A place in what a partition takes, after the chunks of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The partition.
    pub partition: Partition,
    /// What tells it from others of the partition; later ones are greater.
    pub number: u64,
}

/// The outcome of asking a [`Feed`].
#[derive(Debug)]
pub enum Polled {
    /// Something to read.
    Batch(Batch),
    /// Nothing now. The feed wakes the worker when that changes.
    Idle,
    /// Nothing now, and nobody wakes the worker: it asks again after this time, or earlier where it is woken.
    IdleFor(Duration),
    /// Nothing ever again.
    Ended,
}

/// Where one worker reads the log.
pub trait Feed: Send {
    /// The next batch. Its epoch is at least what [`Feed::epoch`] last said, and no other batch of this process has it.
    fn poll(&mut self) -> Polled;

    /// A batch without records, for a turn in which the worker only goes on with what it has left to do. It shows the open
    /// windows of its partitions; its epoch is one that [`Feed::poll`] could have given.
    fn pause(&mut self) -> Batch;

    /// The least epoch that a later batch of this feed can have.
    fn epoch(&self) -> u64;

    /// Calls `wake` whenever `poll` or `epoch` has something new to say, [`Polled::IdleFor`] aside.
    fn on_change(&mut self, wake: Box<dyn Fn() + Send + Sync>);
}

/// The epochs of the feeds of one process: each is given out once, in order.
#[derive(Default)]
pub struct Epochs {
    next: AtomicU64,
    wakers: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl Epochs {
    /// Takes an epoch, and wakes every worker so that none holds it open by still being able to take an earlier one.
    pub fn take(&self) -> u64 {
        let epoch = self.next.fetch_add(1, Ordering::SeqCst);
        for wake in self.wakers().iter() {
            wake();
        }
        epoch
    }

    /// Gives up the epochs before `next`: another process has taken them, and waits for this one to have passed them.
    pub fn raise_to(&self, next: u64) {
        if self.next.fetch_max(next, Ordering::SeqCst) < next {
            for wake in self.wakers().iter() {
                wake();
            }
        }
    }

    /// The least epoch that can still be taken.
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::SeqCst)
    }

    /// Calls `wake` whenever an epoch is taken or given up.
    pub fn on_take(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.wakers().push(wake);
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn Fn() + Send + Sync>>> {
        // A waker that panicked has told nobody anything: the list is still whole.
        self.wakers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
