//! A cluster on a log that three servers keep, under load, and what is held against it in the end.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;

use netqoe_testbed::{Database, NatsCluster};

use crate::cluster_support::{Audit, Group, Load, Rig, Shape, Verdict};
use crate::support::{Server, eventually_or_say};

pub(crate) struct ThreeServers {
    database: Database,
    pub(crate) audit: Audit,
    pub(crate) rig: Rig<NatsCluster>,
    ingests: Vec<Server>,
    /// Where the two ingests listen.
    pub(crate) ports: Vec<Arc<AtomicU16>>,
    group: Group,
    load: Load,
}

impl ThreeServers {
    pub(crate) fn under_load() -> Self {
        let database = Database::fresh().unwrap();
        let audit = Audit::install(database.url());
        let mut rig = Rig::on(NatsCluster::start().unwrap(), database.url());
        rig.environment.push(("NETQOE_STREAM_REPLICAS", "3".to_owned()));
        // Each server decides for itself whether it knows a message's id. Where its window ends while others are behind, their
        // copies come to differ, in nats-server 2.9 at least; the aggregate sees that and stops.
        rig.environment.push(("NETQOE_STREAM_DUPLICATE_WINDOW", "2m".to_owned()));
        let (ingests, ports): (Vec<_>, Vec<_>) = [rig.ready_ingest(), rig.ready_ingest()].into_iter().unzip();
        let group = rig.working_group(Shape { processes: 2, workers: 1 });
        let load = Load::start(8, &ports, &rig.nats.url());
        Self { database, audit, rig, ingests, ports, group, load }
    }

    /// Waits until every partition has been read beyond `position`.
    pub(crate) fn read_on_beyond(&self, position: u64) {
        let is_beyond = || self.audit.reached().is_some_and(|(all, _)| all > position);
        eventually_or_say("all partitions are read on", is_beyond, || {
            format!("{:?} beyond {position}\n{}", self.audit.reached(), self.group.last_words())
        });
    }

    /// Whether all copies of a stream stay the same while a network parts the servers. Those of nats-server 2.9 do not: a
    /// server keeps some messages in place of those that the others have, so which rows are right depends on the copy.
    pub(crate) fn keeps_copies(&self) -> bool {
        !self.rig.nats.version().unwrap().starts_with("2.9.")
    }

    /// Ends the load, lets the cluster read all of it, and holds its rows and commits against its log: one of its copies,
    /// where these may have come to differ.
    pub(crate) fn settle(self, copies_differ: bool) {
        let sent = self.load.stop();
        self.ingests.into_iter().for_each(Server::stop);
        // Copies that differ do not have the same number of lines.
        match copies_differ {
            true => self.group.settle_where_it_is(&self.audit),
            false => self.group.settle(&self.audit, self.rig.lines()),
        }
        self.group.stop(0);
        let verdict = Verdict::of(&self.rig, self.database.url(), &self.audit, &sent);
        println!("{} events sent, {} requests sent again; {}", sent.events, sent.retries, verdict.figures);
        let problems = if copies_differ { verdict.lost } else { verdict.problems };
        assert_eq!(problems, Vec::<String>::new());
    }
}
