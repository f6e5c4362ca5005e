//! The processes of the cluster under test, and the supervisor that starts them again.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::{Duration, Instant};

use crate::chaos::record::{End, Record, Role};
use crate::cluster_support::{Audit, Group, Rig, Shape};
use crate::support::{PATIENCE, Server};

/// Instances of ingest.
const INSTANCES: usize = 2;
/// Before what has ended is started again.
const RESTART_PAUSE: Duration = Duration::from_millis(300);
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a process alone is held still before another takes its place: no peer is there to notice.
const HELD_STILL: Duration = Duration::from_secs(4);

/// All processes, as a supervisor sees them.
pub(crate) struct Cluster {
    ingests: Vec<Instance>,
    aggregates: Aggregates,
    /// What the next start looks like.
    pub(crate) shape: Shape,
    sleeper: Option<Sleeper>,
    looked: Instant,
}

/// One instance of ingest.
struct Instance {
    port: Arc<AtomicU16>,
    server: Option<Server>,
    start_at: Instant,
    killed: bool,
}

enum Aggregates {
    Running(Group),
    /// One has ended; the others follow.
    Ending {
        group: Group,
        since: Instant,
        killed: bool,
    },
    Down {
        start_at: Instant,
    },
}

/// A process that was held still. Others take over before it goes on.
struct Sleeper {
    process: Server,
    /// The generation that it commits in.
    generation: u64,
    /// Since when it goes on again.
    resumed: Option<Instant>,
}

impl Cluster {
    /// Nothing runs yet; the first step starts everything.
    pub(crate) fn new(shape: Shape) -> Self {
        let now = Instant::now();
        let instance = || Instance { port: Arc::default(), server: None, start_at: now, killed: false };
        Self {
            ingests: (0..INSTANCES).map(|_| instance()).collect(),
            aggregates: Aggregates::Down { start_at: now },
            shape,
            sleeper: None,
            looked: now,
        }
    }

    /// Where the instances of ingest listen; 0 while one is down.
    pub(crate) fn ports(&self) -> Vec<Arc<AtomicU16>> {
        self.ingests.iter().map(|instance| Arc::clone(&instance.port)).collect()
    }

    /// The cluster, where all of it works.
    pub(crate) fn working(&self) -> Option<&Group> {
        match &self.aggregates {
            Aggregates::Running(group) if group.works() => Some(group),
            _ => None,
        }
    }

    /// Whether everything works and nothing is on its way.
    pub(crate) fn is_whole(&self) -> bool {
        let listens = |instance: &Instance| instance.server.as_ref().is_some_and(|server| server.last_port() != 0);
        self.working().is_some() && self.sleeper.is_none() && self.ingests.iter().all(listens)
    }

    /// What each process does, and the last that it has said.
    pub(crate) fn describe(&self) -> Vec<String> {
        let ingest = |(number, instance): (usize, &Instance)| match &instance.server {
            Some(server) => format!("ingest {number} has logged: {}", server.last_words()),
            None => format!("ingest {number} is down"),
        };
        let mut all: Vec<_> = self.ingests.iter().enumerate().map(ingest).collect();
        match &self.aggregates {
            Aggregates::Down { .. } => all.push("every aggregate is down".to_owned()),
            Aggregates::Running(group) | Aggregates::Ending { group, .. } => {
                let aggregate = |(number, process): (usize, &Server)| {
                    format!("process {number} of aggregate {} has logged: {}", group.shape, process.last_words())
                };
                all.extend(group.processes.iter().enumerate().map(aggregate));
            }
        }
        let sleeper = self.sleeper.as_ref();
        all.extend(sleeper.map(|sleeper| format!("who was held still has logged: {}", sleeper.process.last_words())));
        all
    }

    pub(crate) fn kill_ingest(&mut self, instance: usize) {
        let instance = &mut self.ingests[instance % INSTANCES];
        if let Some(server) = &instance.server {
            server.signal("KILL");
            instance.killed = true;
        }
    }

    /// kill -9, of one process or of all.
    pub(crate) fn kill_aggregates(&mut self, which: Option<usize>) {
        self.end_group(true, |number, shape| which.is_none_or(|which| number == which % shape.processes), "KILL");
    }

    /// SIGTERM to one process.
    pub(crate) fn ask_aggregate(&mut self, which: usize) {
        self.end_group(false, |number, shape| number == which % shape.processes, "TERM");
    }

    fn end_group(&mut self, killed: bool, whom: impl Fn(usize, Shape) -> bool, signal: &str) {
        let now = Instant::now();
        let down = Aggregates::Down { start_at: now };
        self.aggregates = match std::mem::replace(&mut self.aggregates, down) {
            Aggregates::Running(group) => {
                let processes = group.processes.iter().enumerate();
                processes
                    .filter(|(number, _)| whom(*number, group.shape))
                    .for_each(|(_, process)| process.signal(signal));
                Aggregates::Ending { group, since: now, killed }
            }
            not_running => not_running,
        };
    }

    /// SIGSTOP. The others lose it; where there are none, it is replaced all the same.
    pub(crate) fn hold_still(&mut self, which: usize, audit: &Audit) {
        let Aggregates::Running(group) = &mut self.aggregates else { return };
        let Some(generation) = audit.generation().filter(|_| self.sleeper.is_none()) else { return };
        let process = group.processes.remove(which % group.shape.processes);
        process.signal("STOP");
        self.sleeper = Some(Sleeper { process, generation, resumed: None });
        if group.processes.is_empty() {
            self.aggregates = Aggregates::Down { start_at: Instant::now() + HELD_STILL };
        }
    }

    /// Does what a supervisor does, once.
    pub(crate) fn step(&mut self, rig: &Rig, audit: &Audit, record: &mut Record) {
        if self.looked.elapsed() >= LOOK_EVERY {
            self.looked = Instant::now();
            self.look(record);
        }
        self.ingests.iter_mut().for_each(|instance| instance.step(rig, record));
        self.step_aggregates(rig, record);
        self.step_sleeper(audit, record);
    }

    fn look(&self, record: &mut Record) {
        let ingests = self.ingests.iter().filter_map(|instance| instance.server.as_ref());
        ingests.for_each(|server| record.look(Role::Ingest, server));
        if let Aggregates::Running(group) | Aggregates::Ending { group, .. } = &self.aggregates {
            group.processes.iter().for_each(|process| record.look(Role::Aggregate, process));
        }
    }

    fn step_aggregates(&mut self, rig: &Rig, record: &mut Record) {
        let down = Aggregates::Down { start_at: Instant::now() + RESTART_PAUSE };
        self.aggregates = match std::mem::replace(&mut self.aggregates, down) {
            Aggregates::Running(mut group) => {
                if group.processes.iter_mut().any(|process| process.ended().is_some()) {
                    Aggregates::Ending { group, since: Instant::now(), killed: false }
                } else {
                    Aggregates::Running(group)
                }
            }
            Aggregates::Ending { mut group, since, killed } => {
                let lasts = group.processes.iter_mut().any(|process| process.ended().is_none());
                if lasts && since.elapsed() < PATIENCE {
                    Aggregates::Ending { group, since, killed }
                } else {
                    if lasts {
                        record.problem(format!("a process works on {PATIENCE:?} after another was lost"));
                        group.processes.iter().for_each(|process| process.signal("KILL"));
                    }
                    group.processes.drain(..).for_each(|process| _ = record.ended(Role::Aggregate, process, killed));
                    Aggregates::Down { start_at: Instant::now() + RESTART_PAUSE }
                }
            }
            Aggregates::Down { start_at } if start_at <= Instant::now() => {
                record.say(&format!("aggregate {} is started", self.shape));
                (0..self.shape.processes).for_each(|_| record.started(Role::Aggregate));
                Aggregates::Running(rig.group(self.shape))
            }
            down => down,
        };
    }

    /// Lets who was held still go on once another generation commits, and sees that it ends.
    fn step_sleeper(&mut self, audit: &Audit, record: &mut Record) {
        let Some(sleeper) = &mut self.sleeper else { return };
        match sleeper.resumed {
            None => {
                let taken_over = audit.committed_generation().is_some_and(|committed| committed > sleeper.generation);
                if taken_over {
                    record.look(Role::Aggregate, &sleeper.process);
                    record.say("a later cluster commits; who was held still goes on");
                    sleeper.process.signal("CONT");
                    sleeper.resumed = Some(Instant::now());
                }
            }
            Some(since) => {
                let ended = sleeper.process.ended().is_some();
                let committed = audit.committed_generation() == Some(sleeper.generation);
                if !ended && !committed && since.elapsed() < PATIENCE {
                    return;
                }
                if committed {
                    record.problem("who was held still committed after others had taken over".to_owned());
                } else if !ended {
                    record.problem(format!("who was held still works on {PATIENCE:?} after others took over"));
                }
                if !ended {
                    sleeper.process.signal("KILL");
                }
                let Some(Sleeper { process, .. }) = self.sleeper.take() else { return };
                if record.ended(Role::Aggregate, process, !ended) == End::Code(0) {
                    record.problem("who was held still ended as if it had been asked to".to_owned());
                }
            }
        }
    }

    /// Ends everything in good order.
    pub(crate) fn stop(&mut self, record: &mut Record) {
        self.look(record);
        for server in self.ingests.iter_mut().filter_map(|instance| instance.server.take()) {
            server.terminate();
            check_drained(Role::Ingest, server, 0, record);
        }
        let down = Aggregates::Down { start_at: Instant::now() };
        if let Aggregates::Running(group) = std::mem::replace(&mut self.aggregates, down) {
            group.processes[0].terminate();
            for (number, process) in group.processes.into_iter().enumerate() {
                check_drained(Role::Aggregate, process, if number == 0 { 0 } else { 3 }, record);
            }
        }
    }
}

fn check_drained(role: Role, server: Server, code: i32, record: &mut Record) {
    let end = record.ended(role, server, false);
    if end != End::Code(code) {
        record.problem(format!("{role:?} ended with {end:?} where it was to drain and end with {code}"));
    }
}

impl Instance {
    fn step(&mut self, rig: &Rig, record: &mut Record) {
        if let Some(server) = self.server.take_if(|server| server.ended().is_some()) {
            self.port.store(0, std::sync::atomic::Ordering::SeqCst);
            record.ended(Role::Ingest, server, std::mem::take(&mut self.killed));
            self.start_at = Instant::now() + RESTART_PAUSE;
        } else if self.server.is_none() && self.start_at <= Instant::now() {
            record.started(Role::Ingest);
            self.server = Some(rig.ingest(&self.port));
        }
    }
}
