//! What happened in a run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::{Server, last_words};

/// The most memory that a process of each command may ever have resident. It has nothing to do with how long it runs, nor
/// with how long a server is away: what waits is bounded.
const INGEST_MEMORY_BYTES: u64 = 128 << 20;
const AGGREGATE_MEMORY_BYTES: u64 = 256 << 20;

/// The commands whose processes are looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Ingest,
    Aggregate,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// By our kill -9.
    Killed,
    /// With this exit code.
    Code(i32),
    /// By a signal that nobody sent.
    Crashed,
}

/// What happened so far.
pub(crate) struct Record {
    began: Instant,
    /// What must not have happened, each in one line.
    pub(crate) problems: Vec<String>,
    pub(crate) faults: usize,
    starts: BTreeMap<Role, u64>,
    ends: BTreeMap<(Role, End), u64>,
    peaks: BTreeMap<Role, u64>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            problems: Vec::new(),
            faults: 0,
            starts: BTreeMap::new(),
            ends: BTreeMap::new(),
            peaks: BTreeMap::new(),
        }
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Prints what happens, with its time.
    pub(crate) fn say(&self, what: &str) {
        println!("{:7.1} s  {what}", self.elapsed().as_secs_f64());
    }

    pub(crate) fn problem(&mut self, what: String) {
        self.say(&what);
        self.problems.push(what);
    }

    pub(crate) fn started(&mut self, role: Role) {
        *self.starts.entry(role).or_default() += 1;
    }

    /// Looks at a running process.
    pub(crate) fn look(&mut self, role: Role, process: &Server) {
        let peak = self.peaks.entry(role).or_default();
        *peak = process.peak_memory_bytes().unwrap_or_default().max(*peak);
    }

    /// Takes in the end of a process: why, where it was not killed by us.
    pub(crate) fn ended(&mut self, role: Role, process: Server, killed: bool) -> End {
        let (code, log) = process.wait();
        let end = match code {
            Some(code) => End::Code(code),
            None if killed => End::Killed,
            None => End::Crashed,
        };
        *self.ends.entry((role, end)).or_default() += 1;
        let last = log.lines().rfind(|line| line.starts_with("netqoe: ")).unwrap_or_default().to_owned();
        if end != End::Killed {
            self.say(&format!("{role:?} ended, {end:?} {last}"));
        }
        if end == End::Crashed || log.contains("panicked") {
            self.problem(format!("{role:?} crashed: {}", last_words(&log)));
        }
        end
    }

    /// Prints the figures, and says where memory went beyond its bound.
    pub(crate) fn conclude(&mut self) {
        println!("processes started: {:?}; ended: {:?}", self.starts, self.ends);
        let bounds = [(Role::Ingest, INGEST_MEMORY_BYTES), (Role::Aggregate, AGGREGATE_MEMORY_BYTES)];
        for (role, bound) in bounds {
            let peak = self.peaks.get(&role).copied().unwrap_or_default();
            println!("{role:?}: at most {} MB resident, of {} MB", peak >> 20, bound >> 20);
            if peak > bound {
                self.problem(format!("{role:?} had {peak} bytes resident, more than {bound}"));
            }
        }
    }
}
