//! Lets things go wrong as planned, and brings servers back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use netqoe_testbed::{CuttingProxy, PgBouncer, Postgres};

use crate::chaos::cluster::Cluster;
use crate::chaos::pace::Pace;
use crate::chaos::record::Record;
use crate::chaos::schedule::{Fault, Planned, Schedule};
use crate::cluster_support::{Audit, Rig};

/// What identifies a commit of rows or progress on its way to the server, in this order.
const COMMIT_OF_PROGRESS: [&str; 2] = ["INSERT INTO checkpoint", "COMMIT"];
/// Between two looks at everything.
const EVERY: Duration = Duration::from_millis(30);
/// Between two looks at what is committed, each over a connection of its own.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Everything that takes part in a run.
pub(crate) struct Director {
    pub(crate) rig: Rig,
    pub(crate) audit: Audit,
    pub(crate) cluster: Cluster,
    pub(crate) record: Record,
    postgres: Postgres,
    /// Between the proxy and PostgreSQL.
    _pooler: Option<PgBouncer>,
    proxy: CuttingProxy,
    planned: VecDeque<Planned>,
    pace: Pace,
    looked: Instant,
    nats_back: Option<Instant>,
    postgres_back: Option<Instant>,
}

impl Director {
    /// Everything is started with the first step.
    pub(crate) fn new(schedule: Schedule) -> Self {
        let postgres = Postgres::start().unwrap();
        let database = postgres.database().unwrap();
        let audit = Audit::install(&database);
        let pooler = schedule.pooled.then(|| PgBouncer::start(&database).unwrap());
        let behind = pooler.as_ref().map_or(postgres.port(), |pooler| pooler.port());
        let proxy = CuttingProxy::start(([127, 0, 0, 1], behind).into()).unwrap();
        let through = database.replace(&format!(":{}/", postgres.port()), &format!(":{}/", proxy.address().port()));
        let now = Instant::now();
        Self {
            rig: Rig::new(&through),
            audit,
            cluster: Cluster::new(schedule.first),
            record: Record::new(),
            postgres,
            _pooler: pooler,
            proxy,
            planned: schedule.faults.into(),
            pace: Pace::new(now),
            looked: now,
            nats_back: None,
            postgres_back: None,
        }
    }

    /// Looks at everything once, and pauses.
    pub(crate) fn step(&mut self) {
        let is_due = |back: &Option<Instant>| back.is_some_and(|back| back <= Instant::now());
        if is_due(&self.nats_back) {
            self.rig.nats.restart().unwrap();
            self.nats_back = None;
        }
        if is_due(&self.postgres_back) {
            self.postgres.restart().unwrap();
            self.postgres_back = None;
        }
        self.cluster.step(&self.rig, &self.audit, &mut self.record);
        self.look();
        self.inject();
        std::thread::sleep(EVERY);
    }

    /// Whether all that was planned has happened and is over.
    pub(crate) fn is_over(&self) -> bool {
        self.planned.is_empty() && self.pace.has_recovered()
    }

    /// Where the cluster does not recover: since when, and what everything does.
    pub(crate) fn stuck(&self) -> Option<String> {
        let why = self.pace.stuck()?;
        let away = |name: &str, back: Option<Instant>| back.map(|_| format!("{name} is away")).into_iter();
        let servers = away("nats-server", self.nats_back).chain(away("PostgreSQL", self.postgres_back));
        let all: Vec<_> = servers.chain(self.cluster.describe()).collect();
        Some(format!("the cluster is stuck: {why}. {}", all.join("; ")))
    }

    fn look(&mut self) {
        let is_whole = self.nats_back.is_none() && self.postgres_back.is_none() && self.cluster.is_whole();
        // What has recovered only needs to stay whole.
        let asks = !self.pace.has_recovered() && self.looked.elapsed() >= LOOK_EVERY;
        let last_commit = asks.then(|| self.audit.last_commit()).flatten();
        let now = Instant::now();
        if asks {
            self.looked = now;
        }
        self.pace.look(now, is_whole, last_commit);
    }

    fn inject(&mut self) {
        let pace = &self.pace;
        let due = self.planned.pop_front_if(|next| pace.is_due(Instant::now(), next.pause, next.overlaps));
        let Some(Planned { fault, then, .. }) = due else { return };
        let meanwhile = if self.pace.has_recovered() { "" } else { ", while others last" };
        self.cluster.shape = then;
        self.record.faults += 1;
        self.record.say(&format!("{fault}{meanwhile}"));
        self.let_happen(fault);
        self.pace.inject(Instant::now());
    }

    fn let_happen(&mut self, fault: Fault) {
        let back = || Some(Instant::now() + fault.lasts());
        match fault {
            Fault::IngestKilled(number) => self.cluster.kill_ingest(number),
            Fault::OneKilled(number) => self.cluster.kill_aggregates(Some(number)),
            Fault::AllKilled => self.cluster.kill_aggregates(None),
            Fault::OneAsked(number) => self.cluster.ask_aggregate(number),
            Fault::OneHeldStill(number) => self.cluster.hold_still(number, &self.audit),
            Fault::NatsKilled => {
                self.rig.nats.kill().unwrap();
                self.nats_back = back();
            }
            Fault::NatsStopped | Fault::NatsAway => {
                self.rig.nats.stop().unwrap();
                self.nats_back = back();
            }
            Fault::PostgresKilled => {
                self.postgres.kill().unwrap();
                self.postgres_back = back();
            }
            Fault::PostgresStopped | Fault::PostgresAway => {
                self.postgres.stop().unwrap();
                self.postgres_back = back();
            }
            Fault::AnswerLost => self.proxy.cut_after(&COMMIT_OF_PROGRESS),
        }
    }

    /// Answers to commits that were lost.
    pub(crate) fn answers_lost(&self) -> usize {
        self.proxy.cuts()
    }
}
