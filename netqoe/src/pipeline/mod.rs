//! The dataflow between a log and a store: feeds in front, one committing thread behind.

mod committer;
mod feeds;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use netqoe_dataflow::baseline::PastWindow;
use netqoe_dataflow::{Feed, Outlet, PartitionOutput, Seed, WorkerPart};
use netqoe_model::{LogIdentity, Partition, Position, Resume, Rules};
use netqoe_sinks::Store;

pub(crate) use committer::{Committed, Totals};
pub(crate) use feeds::{FileFeeds, LogFeeds};

/// Outputs of all workers that may wait for the committing thread: one or two an epoch in flight. When it is full the
/// workers wait, and so does reading.
const WAITING_OUTPUTS: usize = 32;

/// Where a thread says that it can't go on. Only the first failure matters: the process ends with it.
#[derive(Clone, Debug)]
pub(crate) struct Failures(Sender<anyhow::Error>);

impl Failures {
    /// A place to fail, and to wait for it.
    pub(crate) fn new() -> (Self, Receiver<anyhow::Error>) {
        let (sender, receiver) = bounded(1);
        (Self(sender), receiver)
    }

    /// Ends the process with this error, unless it is ending with another.
    pub(crate) fn fail(&self, error: anyhow::Error) {
        if let Err(refused) = self.0.try_send(error) {
            tracing::error!("{:#}", refused.into_inner());
        }
    }
}

/// A running pipeline. It ends once its feeds have ended.
pub(crate) struct Pipeline {
    workers: timely::communication::WorkerGuards<()>,
    committer: JoinHandle<Option<Totals>>,
}

impl Pipeline {
    /// Starts a worker for each feed; `committed` is told of each commit, on the committing thread. A commit that fails
    /// is said to `failures`.
    pub(crate) fn start(
        feeds: Vec<Box<dyn Feed>>,
        log: &LogIdentity,
        store: Box<dyn Store>,
        resume: Resume,
        rules: Rules,
        committed: Box<dyn FnMut(Committed<'_>) + Send>,
        failures: Failures,
    ) -> anyhow::Result<Self> {
        let (sender, receiver) = bounded(WAITING_OUTPUTS);
        let generation = resume.generation;
        let ledgers = resume.checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.ledger)).collect();
        let mut seeds = seeds(resume, log, feeds.len());
        let part = |(worker, feed)| WorkerPart {
            feed,
            outlet: outlet(sender.clone()),
            seeds: seeds.remove(&worker).unwrap_or_default(),
        };
        let parts = feeds.into_iter().enumerate().map(part).collect();
        drop(sender);
        let committer = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || {
                let totals = committer::run(store, generation, ledgers, &receiver, committed);
                totals.map_err(|error| failures.fail(error)).ok()
            })
            .context("can't start the committing thread")?;
        let workers = netqoe_dataflow::start(parts, log.partitions, rules)
            .map_err(|error| anyhow!("can't start the workers: {error}"))?;
        Ok(Self { workers, committer })
    }

    /// Waits until everything that the feeds gave is committed.
    pub(crate) fn join(self) -> anyhow::Result<Totals> {
        for worker in self.workers.join() {
            worker.map_err(|error| anyhow!("a worker failed: {error}"))?;
        }
        let totals = self.committer.join().map_err(|_| anyhow!("the committing thread panicked"))?;
        totals.context("the store could not be written")
    }
}

fn outlet(sender: Sender<Vec<PartitionOutput>>) -> Box<dyn Outlet + Send> {
    Box::new(move |partitions| {
        // The committing thread is gone only when it has failed, and then the process is ending.
        if sender.send(partitions).is_err() {
            tracing::debug!("the committing thread has ended");
        }
    })
}

/// What each worker starts from.
fn seeds(resume: Resume, log: &LogIdentity, workers: usize) -> BTreeMap<usize, Vec<Seed>> {
    let mut history: BTreeMap<Partition, Vec<_>> = BTreeMap::new();
    for row in resume.history {
        let past = PastWindow::of(&row.window).map(|past| (row.client_id.clone(), row.target, past));
        history.entry(Partition::of(&row.client_id, log.partitions)).or_default().extend(past);
    }
    let mut seeds: BTreeMap<usize, Vec<Seed>> = BTreeMap::new();
    for checkpoint in resume.checkpoints {
        let history = history.remove(&checkpoint.partition).unwrap_or_default();
        seeds.entry(owner(checkpoint.partition, workers)).or_default().push(Seed { checkpoint, history });
    }
    seeds
}

/// The worker that owns a partition.
pub(crate) fn owner(partition: Partition, workers: usize) -> usize {
    usize::from(partition.0) % workers
}

/// Where each partition of a log begins to be read.
pub(crate) fn starts(resume: &Resume, log: &LogIdentity) -> Vec<netqoe_eventlog::Start> {
    let start = |partition| {
        let checkpoint = resume.checkpoints.iter().find(|checkpoint| checkpoint.partition == partition);
        netqoe_eventlog::Start {
            partition,
            from: checkpoint.map_or(Position(0), |checkpoint| checkpoint.resume_from),
            processed: checkpoint.map_or(Position(0), |checkpoint| checkpoint.processed),
            log_time: checkpoint.map(|checkpoint| checkpoint.log_time),
        }
    };
    (0..log.partitions.get()).map(|number| start(Partition(number))).collect()
}

/// As many workers as the machine has cores.
pub(crate) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Splits the partitions of a log among workers.
pub(crate) fn by_owner(starts: &[netqoe_eventlog::Start], workers: NonZeroUsize) -> Vec<Vec<netqoe_eventlog::Start>> {
    let owned =
        |worker| starts.iter().filter(|start| owner(start.partition, workers.get()) == worker).copied().collect();
    (0..workers.get()).map(owned).collect()
}
