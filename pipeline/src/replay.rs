//! A file of history, the dataflow and a store.

use std::io::Read;
use std::num::NonZeroUsize;

use netqoe_eventlog::NdjsonReader;
use netqoe_model::{LogIdentity, Rules};

use crate::feeds::{FileFeeds, FileReader};
use crate::fleet::FleetPlan;
use crate::in_time::{InTime, Latecomers};
use crate::pipeline::{Plan, links_within};
use crate::traced::TracedBatches;
use crate::{Assignment, Committed, Failures, Gathering, OpenedStore, PipelineError, Totals};

/// What is replayed, and what is told of it meanwhile.
pub struct Replay {
    /// Events, one a line.
    pub input: Box<dyn Read + Send>,
    /// What of the same input came late and is to count all the same.
    pub latecomers: Option<Latecomers>,
    /// What the store knows the history by.
    pub log: LogIdentity,
    /// Where rows go.
    pub store: OpenedStore,
    /// Threads of the dataflow.
    pub workers: NonZeroUsize,
    /// What windows are, and what they are judged by.
    pub rules: Rules,
    /// Told of the bytes of each chunk that is read.
    pub on_read: Box<dyn Fn(u64) + Send + Sync>,
    /// Told of the events of each commit.
    pub on_commit: Box<dyn FnMut(u64) + Send>,
}

impl Replay {
    /// Replays all of it. Blocks this thread, which must not be one of a runtime.
    ///
    /// # Errors
    /// Where the input can't be read or the store can't be written. What was committed by then stays.
    pub fn run(self) -> Result<Totals, PipelineError> {
        let Self { input, latecomers, log, store, workers, rules, on_read, mut on_commit } = self;
        let (failures, failed) = Failures::new();
        let reader = NdjsonReader::new(input);
        let reader = match latecomers {
            None => FileReader::AsTheyCame(reader),
            Some(latecomers) => FileReader::InTime(InTime::new(reader, latecomers)),
        };
        let feeds = FileFeeds::start(reader, &log, workers.get(), &failures, on_read);
        let assignment = Assignment::of_one_process(workers);
        let on_commit = Box::new(move |commit: Committed<'_>| on_commit(commit.events.read));
        let gathering = Gathering::REPLAY;
        let fleet = FleetPlan {
            link: store.fleet_link(),
            rules: rules.clone(),
            partitions: log.partitions,
            has_others: false,
            is_file: true,
            on_found: Box::new(|_| {}),
            failures: failures.clone(),
        };
        let (fleet, corrections, traced) = (Some(fleet), None, TracedBatches::default());
        let plan =
            Plan { feeds, assignment, log, store, rules, gathering, on_commit, fleet, corrections, failures, traced };
        let pipeline = plan.start(links_within(workers)?)?;
        // A feed that has failed does not end, so the pipeline would not either. Where nothing can fail any more, it
        // has ended.
        match failed.wait() {
            Some(error) => Err(error),
            None => pipeline.join(),
        }
    }
}
