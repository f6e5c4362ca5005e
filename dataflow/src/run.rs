//! The workers: each reads its feed, steps the dataflow, and never reads too far ahead of what was handed out.
//!
//! Decision: D-005.

use std::any::Any;
use std::collections::VecDeque;
use std::num::{NonZeroU16, NonZeroUsize};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netqoe_model::Rules;
use timely::communication::WorkerGuards;
use timely::communication::allocator::AllocatorBuilder;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::Input;
use timely::worker::Worker;

use crate::due::{Due, Pace};
use crate::feed::{Feed, Polled};
use crate::graph;
use crate::output::Outlet;
use crate::seed::Pasts;

/// Epochs that a worker may be ahead of the outlet. Enough to keep decoding while rows are written; with batches of
/// about a mebibyte it bounds what is in flight to some tens of mebibytes a worker.
pub const MAX_EPOCHS_IN_FLIGHT: usize = 16;

/// How soon a worker asks again whether it may go on with what is due, where nothing wakes it: a small part of what the store takes
/// for a portion.
const ALLOWED_AGAIN_AFTER: Duration = Duration::from_millis(1);

/// What one worker works on.
pub struct WorkerPart {
    /// Where it reads.
    pub feed: Box<dyn Feed>,
    /// Where it hands out what it finds.
    pub outlet: Box<dyn Outlet + Send>,
    /// How much it may do in one turn of what becomes due of all pairs at once; `None`, where nobody waits for it: all.
    pub pace: Option<Pace>,
    /// What its pairs are judged by at first, and after corrections.
    pub pasts: Pasts,
}

/// How the workers of this process reach each other, and those of other processes.
pub struct Links {
    /// One for each worker of this process.
    pub builders: Vec<AllocatorBuilder>,
    /// What must live as long as they do.
    pub guard: Box<dyn Any + Send>,
}

impl Links {
    /// For workers of one process only.
    ///
    /// # Errors
    /// What timely says.
    pub fn within(workers: NonZeroUsize) -> Result<Self, String> {
        let config = match workers.get() {
            1 => timely::CommunicationConfig::Thread,
            workers => timely::CommunicationConfig::Process(workers),
        };
        let (builders, guard) = config.try_build()?;
        Ok(Self { builders, guard })
    }
}

/// Starts one worker thread for each part. They end once every feed, of all processes, has ended and everything was
/// handed out.
///
/// # Errors
/// If the threads can't be started.
pub fn start(
    parts: Vec<WorkerPart>,
    links: Links,
    partitions: NonZeroU16,
    rules: Rules,
) -> Result<WorkerGuards<()>, String> {
    let workers_here = parts.len();
    let parts: Vec<_> = parts.into_iter().map(Some).collect();
    let (parts, rules) = (Mutex::new(parts), Arc::new(rules));
    let config = timely::WorkerConfig::default();
    timely::execute::execute_from(links.builders, links.guard, config, move |worker| {
        let part = parts.lock().unwrap_or_else(PoisonError::into_inner)[worker.index() % workers_here].take();
        if let Some(part) = part {
            work(worker, part, partitions, rules.clone());
        }
    })
}

fn work(worker: &mut Worker, part: WorkerPart, partitions: NonZeroU16, rules: Arc<Rules>) {
    let WorkerPart { mut feed, outlet, pace, pasts } = part;
    let (probe, due) = (ProbeHandle::new(), Rc::new(Due::at(pace)));
    let dataflow = worker.next_dataflow_index();
    let mut input = worker.dataflow(|scope| {
        let (input, batches) = scope.new_input();
        graph::build(batches, partitions, rules, pasts, Rc::clone(&due), outlet, &probe);
        input
    });
    let activator = worker.sync_activator_for(vec![dataflow]);
    // A worker that is gone has nothing to be woken for.
    feed.on_change(Box::new(move || activator.activate().unwrap_or_default()));

    let mut in_flight = VecDeque::new();
    loop {
        // A worker that reads less than others would hold them back if it did not follow their progress.
        input.advance_to(feed.epoch());
        input.flush();
        while in_flight.front().is_some_and(|epoch| !probe.less_equal(epoch)) {
            in_flight.pop_front();
        }
        due.allow(in_flight.len());
        let polled = if in_flight.len() < MAX_EPOCHS_IN_FLIGHT { feed.poll() } else { Polled::Idle };
        let batch = match polled {
            Polled::Batch(batch) => batch,
            Polled::Ended => break,
            Polled::Idle | Polled::IdleFor(_) if due.goes_on() => feed.pause(),
            Polled::Idle | Polled::IdleFor(_) if due.is_left() => {
                worker.step_or_park(Some(ALLOWED_AGAIN_AFTER));
                continue;
            }
            Polled::Idle => {
                worker.step_or_park(None);
                continue;
            }
            Polled::IdleFor(pause) => {
                worker.step_or_park(Some(pause));
                continue;
            }
        };
        input.advance_to(batch.epoch);
        in_flight.push_back(batch.epoch);
        input.send(batch);
        input.flush();
        worker.step();
    }
    if due.hurry() {
        let last = feed.pause();
        input.advance_to(last.epoch);
        input.send(last);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use netqoe_model::DEFAULT_PARTITIONS;

    use super::*;
    use crate::feed::Batch;
    use crate::output::PartitionOutput;

    /// Has nothing for so many polls, wakes nobody, and ends.
    struct Unwoken(u32);

    impl Feed for Unwoken {
        fn poll(&mut self) -> Polled {
            self.0 -= 1;
            if self.0 == 0 { Polled::Ended } else { Polled::IdleFor(Duration::from_millis(1)) }
        }

        fn epoch(&self) -> u64 {
            0
        }

        fn pause(&mut self) -> Batch {
            Batch::default()
        }

        fn on_change(&mut self, _: Box<dyn Fn() + Send + Sync>) {}
    }

    #[test]
    fn a_feed_that_is_idle_for_a_time_is_asked_again() {
        let outlet = Box::new(|_: Vec<PartitionOutput>| {});
        let part = WorkerPart { feed: Box::new(Unwoken(5)), outlet, pace: None, pasts: Pasts::seeded(Vec::new()) };
        let links = Links::within(NonZeroUsize::MIN).unwrap();
        let workers = start(vec![part], links, DEFAULT_PARTITIONS, Rules::default()).unwrap();
        let (ended, wait) = mpsc::channel();
        std::thread::spawn(move || ended.send(workers.join().len()));
        assert_eq!(wait.recv_timeout(Duration::from_secs(60)), Ok(1), "the worker sleeps for ever");
    }
}
