//! The dataflow between a log and a store: feeds in front, one committing thread behind.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use netqoe_dataflow::judge::PairState;
use netqoe_dataflow::{Feed, Links, Outlet, PartitionOutput, Seed, WorkerPart};
use netqoe_model::{LogIdentity, Partition, Position, Resume, Rules};
use timely::communication::WorkerGuards;

use super::committer::{self, Committed, Gathering, Totals};
use super::crew::Crew;
use super::opened_store::OpenedStore;

/// Outputs of all workers that may wait for the committing thread: one or two an epoch in flight. When it is full the
/// workers wait, and so does reading.
const WAITING_OUTPUTS: usize = 32;

/// Where a thread says that it can't go on. Only the first failure matters: the process ends with it.
#[derive(Clone, Debug)]
pub struct Failures(Sender<anyhow::Error>);

impl Failures {
    /// A place to fail, and to wait for it.
    pub fn new() -> (Self, Receiver<anyhow::Error>) {
        let (sender, receiver) = bounded(1);
        (Self(sender), receiver)
    }

    /// Ends the process with this error, unless it is ending with another.
    pub fn fail(&self, error: anyhow::Error) {
        if let Err(refused) = self.0.try_send(error) {
            tracing::error!("{:#}", refused.into_inner());
        }
    }
}

/// A running pipeline. It ends once its feeds have ended. One that is dropped is left to the end of the process: its
/// workers may never end, where a store or another process that they need is gone.
pub struct Pipeline {
    workers: ManuallyDrop<WorkerGuards<()>>,
    committer: JoinHandle<Option<Totals>>,
}

impl Pipeline {
    /// Starts a worker for each feed; `committed` is told of each commit, on the committing thread. A commit that fails
    /// is said to `failures`.
    pub fn start(
        (feeds, crew, links): (Vec<Box<dyn Feed>>, Crew, Links),
        log: &LogIdentity,
        mut store: OpenedStore,
        rules: Rules,
        gathering: Gathering,
        committed: Box<dyn FnMut(Committed<'_>) + Send>,
        failures: Failures,
    ) -> anyhow::Result<Self> {
        let (sender, receiver) = bounded(WAITING_OUTPUTS);
        let resume = std::mem::take(&mut store.resume);
        let ledgers = resume.checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.ledger)).collect();
        let mut seeds = seeds(resume, log, crew, &rules);
        let part = |(worker, feed)| WorkerPart {
            feed,
            outlet: outlet(sender.clone()),
            seeds: seeds.remove(&worker).unwrap_or_default(),
        };
        let parts = crew.numbers().zip(feeds).map(part).collect();
        drop(sender);
        let committer = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || {
                let totals = committer::run(store, ledgers, &receiver, gathering, committed);
                totals.map_err(|error| failures.fail(error)).ok()
            })
            .context("can't start the committing thread")?;
        let workers = netqoe_dataflow::start(parts, links, log.partitions, rules)
            .map_err(|error| anyhow!("can't start the workers: {error}"))?;
        Ok(Self { workers: ManuallyDrop::new(workers), committer })
    }

    /// Waits until everything that the feeds gave is committed.
    pub fn join(self) -> anyhow::Result<Totals> {
        for worker in ManuallyDrop::into_inner(self.workers).join() {
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
fn seeds(resume: Resume, log: &LogIdentity, crew: Crew, rules: &Rules) -> BTreeMap<usize, Vec<Seed>> {
    let mut history: BTreeMap<Partition, Vec<_>> = BTreeMap::new();
    for past in resume.history {
        let state = PairState::restore(past.state.as_deref(), &past.rows, rules);
        let partition = Partition::of(&past.client_id, log.partitions);
        history.entry(partition).or_default().push((past.client_id, past.target, state));
    }
    let mut seeds: BTreeMap<usize, Vec<Seed>> = BTreeMap::new();
    for checkpoint in resume.checkpoints {
        let history = history.remove(&checkpoint.partition).unwrap_or_default();
        seeds.entry(crew.owner(checkpoint.partition)).or_default().push(Seed { checkpoint, history });
    }
    seeds
}

/// Where each partition of a log begins to be read.
pub fn starts(resume: &Resume, log: &LogIdentity) -> Vec<netqoe_eventlog::Start> {
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

/// Workers of this process alone.
pub fn alone(workers: NonZeroUsize) -> anyhow::Result<(Crew, Links)> {
    let links = Links::within(workers).map_err(|error| anyhow!("can't make the workers: {error}"))?;
    Ok((Crew::alone(workers), links))
}
