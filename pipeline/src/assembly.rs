//! A live log, the dataflow and a store, put together: what `up` and each process of a cluster run.

use std::sync::Arc;

use netqoe_dataflow::{Feed, Links};
use netqoe_model::Rules;

use crate::corrections::{CorrectionsOver, CorrectionsPlan};
use crate::feeds::StartedFeeds;
use crate::fleet::FleetPlan;
use crate::health::DataflowHealth;
use crate::pipeline::Plan;
use crate::{
    Assignment, Backlog, Failed, Failures, FleetLink, Gathering, LogClockCheck, LogFeeds, Observed, OpenedStore,
    Pipeline, PipelineError, Source, StoreHealth, View, observer,
};

/// What a pipeline is made of.
pub struct Assembly {
    /// Where events come from.
    pub source: Source,
    /// Where rows go.
    pub store: OpenedStore,
    /// What incidents are written with, where this process finds them: one of a cluster does.
    pub fleet: Option<FleetLink>,
    /// What corrections are written with, where late events are counted after all.
    pub corrections: Option<CorrectionsOver>,
    /// What the page calls the store.
    pub store_kind: &'static str,
    /// How the store is.
    pub store_health: StoreHealth,
    /// What windows are, and what they are judged by.
    pub rules: Rules,
    /// The workers of this process.
    pub assignment: Assignment,
    /// Where what happens is seen.
    pub observed: Observed,
}

/// An assembly whose log is open where the store stopped. Nothing is read yet.
pub struct Ready {
    /// The means to end the feeds.
    pub feeds: LogFeeds,
    /// What each worker of this process reads.
    pub workers: Vec<Box<dyn Feed>>,
    /// What of the log rows do not reflect.
    pub backlog: Backlog,
    /// What has failed.
    pub failed: Failed,
    /// What else the pipeline is made of.
    pub assembly: Assembly,
    failures: Failures,
}

/// A pipeline that works.
pub struct Running {
    /// The means to end its feeds, or to have open windows shown.
    pub feeds: LogFeeds,
    /// Its threads.
    pub pipeline: Pipeline,
    /// What it shows of itself.
    pub view: Arc<View>,
    /// What has failed.
    pub failed: Failed,
}

impl Assembly {
    /// Opens the log where the store stopped.
    ///
    /// # Errors
    /// [`PipelineError::Log`] where the log is not what it was then, or can't be read.
    pub fn ready(self) -> Result<Ready, PipelineError> {
        let Self { source, store, assignment, observed, .. } = &self;
        let partitions = source.log.identity().partitions;
        observed.resume(*assignment, partitions, &store.resume.checkpoints);
        let starts = store.starts(partitions);
        (source.check_places)(&starts).map_err(PipelineError::Log)?;
        let (failures, failed) = Failures::new();
        let started = LogFeeds::start(&*source.log, store, &assignment.share(&starts), &failures, observed)?;
        let StartedFeeds { feeds, workers, backlog } = started;
        observer::show_backlog(observed, *assignment, backlog.clone());
        Ok(Ready { feeds, workers, backlog, failed, assembly: self, failures })
    }
}

impl Ready {
    /// Starts the workers, which reach each other by `links`, and the thread that commits.
    ///
    /// # Errors
    /// [`PipelineError::Thread`] or [`PipelineError::Workers`].
    pub fn start(self, links: Links) -> Result<Running, PipelineError> {
        let Self { feeds, workers, backlog, failed, assembly, failures } = self;
        let Assembly { source, store, fleet, corrections, store_kind, store_health, rules, assignment, observed } =
            assembly;
        let log_clock = LogClockCheck { lateness_ms: rules.lateness_ms, advice: source.clock_advice };
        let fleet = fleet.map(|link| FleetPlan {
            link,
            rules: rules.clone(),
            partitions: source.log.identity().partitions,
            has_others: assignment.processes() > 1,
            is_file: false,
            on_found: observer::on_found(&observed),
            failures: failures.clone(),
        });
        let corrections = corrections.map(|over| CorrectionsPlan {
            log: Arc::clone(&source.log),
            over,
            rules: rules.clone(),
            partitions: source.log.identity().partitions,
            assignment,
            feeds: feeds.clone(),
            observed: observed.clone(),
            failures: failures.clone(),
        });
        let plan = Plan {
            feeds: workers,
            assignment,
            log: source.log.identity().clone(),
            store,
            rules,
            gathering: Gathering::LIVE,
            on_commit: observer::on_commit(assignment, observed.clone(), backlog.clone(), source.on_reflected),
            fleet,
            corrections,
            failures,
            traced: observed.traced.clone(),
        };
        let pipeline = plan.start(links)?;
        let view = View {
            observed,
            assignment,
            log_kind: source.kind,
            log_health: source.health,
            store_kind,
            store_health,
            dataflow_health: DataflowHealth { log_clock, records_intact: source.records_intact },
            backlog,
        };
        Ok(Running { feeds, pipeline, view: Arc::new(view), failed })
    }
}
