//! The threads between a log and a store: a worker for each feed, and one that commits.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use netqoe_dataflow::judge::PairState;
use netqoe_dataflow::{CorrectedPairs, Feed, Links, Outlet, PartitionOutput, Pasts, Seed, WorkerPart};
use netqoe_model::{LogIdentity, Partition, Resume, Rules};
use timely::communication::WorkerGuards;

use crate::committer::{self, Followers, OnCommit};
use crate::corrections::{CorrectionsLinks, CorrectionsPlan};
use crate::fleet::FleetPlan;
use crate::traced::TracedBatches;
use crate::{Assignment, Failures, Gathering, OpenedStore, PipelineError, Totals};

/// Marks that may wait for the thread that corrects rows: one where a feed stands and one where it goes on again, of this correction
/// and of one that was given up.
const WAITING_MARKS: usize = 4;

/// What a pipeline is started from.
pub(crate) struct Plan {
    /// One for each worker of this process.
    pub(crate) feeds: Vec<Box<dyn Feed>>,
    pub(crate) assignment: Assignment,
    pub(crate) log: LogIdentity,
    pub(crate) store: OpenedStore,
    pub(crate) rules: Rules,
    pub(crate) gathering: Gathering,
    /// Told of each commit, on the committing thread.
    pub(crate) on_commit: OnCommit,
    /// What finds incidents, where this process does.
    pub(crate) fleet: Option<FleetPlan>,
    /// Told of a commit that fails.
    pub(crate) failures: Failures,
    /// What counts late events after all, where something does.
    pub(crate) corrections: Option<CorrectionsPlan>,
    /// Which batches have spans.
    pub(crate) traced: TracedBatches,
}

/// A running pipeline. It ends once its feeds have ended. One that is dropped is left to the end of the process: its
/// workers may never end, where a store or another process that they need is gone.
pub struct Pipeline {
    workers: ManuallyDrop<WorkerGuards<()>>,
    committer: JoinHandle<Option<Totals>>,
    corrections: Option<JoinHandle<()>>,
}

impl Plan {
    /// Starts the committing thread and the workers, which reach each other by `links`.
    pub(crate) fn start(self, links: Links) -> Result<Pipeline, PipelineError> {
        let Self {
            feeds,
            assignment,
            log,
            mut store,
            rules,
            gathering,
            on_commit,
            fleet,
            corrections,
            failures,
            traced,
        } = self;
        let (sender, receiver) = bounded(gathering.waiting);
        let resume = std::mem::take(&mut store.resume);
        let ledgers = resume.checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.ledger)).collect();
        let mut seeds = seeds(resume, &log, assignment, &rules);
        let (marked, marks) = bounded(WAITING_MARKS);
        let mut inboxes = Vec::new();
        let part = |(worker, feed)| WorkerPart {
            feed,
            outlet: outlet(sender.clone()),
            pace: gathering.pace(&sender),
            pasts: Pasts { seeds: seeds.remove(&worker).unwrap_or_default(), corrected: inbox(&mut inboxes) },
        };
        let parts = assignment.numbers().zip(feeds).map(part).collect();
        drop(sender);
        let fleet = fleet.map(FleetPlan::start).transpose()?;
        let marked = corrections.is_some().then_some(marked);
        let corrected = CorrectionsLinks { marks, workers: inboxes };
        let corrections = corrections.map(|plan| plan.start(corrected)).transpose()?;
        let followers = Followers { on_commit, fleet, marks: marked };
        let committer = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || {
                let totals = committer::run(store, ledgers, &receiver, gathering, &traced, followers);
                totals.map_err(|error| failures.fail(error)).ok()
            })
            .map_err(PipelineError::Thread)?;
        let workers = netqoe_dataflow::start(parts, links, log.partitions, rules).map_err(PipelineError::Workers)?;
        Ok(Pipeline { workers: ManuallyDrop::new(workers), committer, corrections })
    }
}

impl Pipeline {
    /// Waits until everything that the feeds gave is committed.
    ///
    /// # Errors
    /// Where a thread has failed.
    pub fn join(self) -> Result<Totals, PipelineError> {
        for worker in ManuallyDrop::into_inner(self.workers).join() {
            worker.map_err(PipelineError::Worker)?;
        }
        let totals = self.committer.join().map_err(|_| PipelineError::Panicked)?;
        if let Some(corrections) = self.corrections {
            corrections.join().map_err(|_| PipelineError::Panicked)?;
        }
        totals.ok_or(PipelineError::NotWritten)
    }
}

/// What the workers of one process reach each other by, where there is no other process.
///
/// # Errors
/// [`PipelineError::Workers`].
pub fn links_within(workers: NonZeroUsize) -> Result<Links, PipelineError> {
    Links::within(workers).map_err(PipelineError::Workers)
}

/// Where a worker takes pairs from that were computed again; what they are sent by is added to `inboxes`.
fn inbox(inboxes: &mut Vec<mpsc::Sender<CorrectedPairs>>) -> mpsc::Receiver<CorrectedPairs> {
    let (sender, receiver) = mpsc::channel();
    inboxes.push(sender);
    receiver
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
fn seeds(resume: Resume, log: &LogIdentity, assignment: Assignment, rules: &Rules) -> BTreeMap<usize, Vec<Seed>> {
    let mut history: BTreeMap<Partition, Vec<_>> = BTreeMap::new();
    for past in resume.history {
        let state = PairState::restore(past.state.as_deref(), &past.rows, rules);
        let partition = Partition::of(&past.client_id, log.partitions);
        history.entry(partition).or_default().push((past.client_id, past.target, state));
    }
    let mut seeds: BTreeMap<usize, Vec<Seed>> = BTreeMap::new();
    for checkpoint in resume.checkpoints {
        let history = history.remove(&checkpoint.partition).unwrap_or_default();
        seeds.entry(assignment.owner(checkpoint.partition)).or_default().push(Seed { checkpoint, history });
    }
    seeds
}
