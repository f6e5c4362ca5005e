//! The thread that counts what came late after all: it computes the pairs concerned again from the log, beside the workers, and writes
//! what differs. Only for its last step it holds the feed of one partition.
//!
//! Decision: D-108.

mod hold;
mod latecomers;
mod records;
mod round;
mod sought;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use netqoe_dataflow::{CorrectedPairs, PartitionState};
use netqoe_eventlog::{LogError, LogSearch};
use netqoe_model::{Checkpoint, Ledger, LogTime, Partition, PartitionCommit, Reclassified, Rules, WaitingCorrection};
use netqoe_sinks::{Correction, CorrectionEnd, Store, StoreError, WaitingPartition};

use crate::fleet::FleetLink;
use crate::{Assignment, Failures, LogFeeds, Observed, PipelineError};
pub(crate) use hold::{HeldTurn, Hold};
use latecomers::Looked;
use records::Records;
use round::{Beginning, Round};
use sought::Sought;

/// What corrections are written with, and when.
pub struct CorrectionsOver {
    /// A connection of its own.
    pub link: FleetLink,
    /// When pairs are corrected.
    pub pace: CorrectionPace,
}

/// When pairs are corrected, and how much of the time that may take.
#[derive(Clone, Copy, Debug)]
pub struct CorrectionPace {
    /// How often is looked whether pairs wait.
    pub look_every: Duration,
    /// So long nothing more must have come late in a partition before its pairs are corrected.
    pub settled_for: Duration,
    /// Pairs are corrected after this time, however much comes late.
    pub longest_wait: Duration,
    /// For each moment of work, the thread pauses for so many.
    pub pauses: u32,
}

impl Default for CorrectionPace {
    /// A probe sends what it kept in many requests, one after the other. The workers, ingest and the store need the processors, too, so a
    /// third of the time is for corrections.
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            settled_for: Duration::from_secs(3),
            longest_wait: Duration::from_secs(20),
            pauses: 2,
        }
    }
}

/// What the metric of corrected events calls those that count, and copies.
pub(crate) const SUCCESS: &str = "success";
pub(crate) const DUPLICATE: &str = "duplicate";
/// Pairs that one correction looks at.
const MAX_PAIRS: usize = 1_000;
/// Windows that one correction computes at most, where it is of more than one pair: those of 500 pairs in an hour and a half.
const MAX_WINDOWS: i64 = 50_000;
/// Records that the computation may be behind when the feed is held: some milliseconds' work.
const CLOSE_ENOUGH: u64 = 64;
/// Times that it catches up before the feed is held all the same.
const CATCH_UPS: u32 = 8;
/// Times that the feed is held where the partition has something due, and how long it goes on in between.
const HOLDS: u32 = 10;
const HELD_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long the partition has to come to its mark. Where it takes longer, the feed goes on and the correction is tried again.
const LONGEST_HOLD: Duration = Duration::from_secs(5);
/// The longest pause after a correction.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// How long until a correction is tried again whose log can't be read, or whose partition was busy.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A partition has come to a mark: all that was read before it is committed.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) number: u64,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) state: PartitionState,
}

/// What the thread is started from.
pub(crate) struct CorrectionsPlan {
    pub(crate) log: Arc<dyn LogSearch>,
    pub(crate) over: CorrectionsOver,
    pub(crate) rules: Rules,
    pub(crate) partitions: NonZeroU16,
    pub(crate) assignment: Assignment,
    pub(crate) feeds: LogFeeds,
    pub(crate) observed: Observed,
    pub(crate) failures: Failures,
}

/// What the committing thread and the workers give to the thread, and get from it.
pub(crate) struct CorrectionsLinks {
    /// Ends with the committing thread.
    pub(crate) marks: Receiver<Mark>,
    /// To each worker of this process.
    pub(crate) workers: Vec<Sender<CorrectedPairs>>,
}

/// Why a correction was not made.
enum Stopped {
    Store(StoreError),
    Log(LogError),
    /// The partition has work left, or comes to no mark.
    Busy,
    /// The pipeline ends.
    Ended,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LogError> for Stopped {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl CorrectionsPlan {
    pub(crate) fn start(self, links: CorrectionsLinks) -> Result<JoinHandle<()>, PipelineError> {
        let run = move || {
            let failures = self.failures.clone();
            if let Err(error) = (Corrections { plan: self, links, seen: Vec::new() }).run() {
                failures.fail(PipelineError::Corrections(error));
            }
        };
        std::thread::Builder::new().name("corrections".to_owned()).spawn(run).map_err(PipelineError::Thread)
    }
}

/// When a partition was first seen to wait, and since when no more has come.
struct Seen {
    waiting: WaitingPartition,
    first: Instant,
    changed: Instant,
}

struct Corrections {
    plan: CorrectionsPlan,
    links: CorrectionsLinks,
    seen: Vec<Seen>,
}

impl Corrections {
    fn run(mut self) -> Result<(), StoreError> {
        let pace = self.plan.over.pace;
        let mut pause = pace.look_every;
        loop {
            match self.links.marks.recv_timeout(pause) {
                // One that came too late for the correction that waited for it.
                Ok(_) => continue,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            pause = pace.look_every;
            let Some(partition) = self.due(Instant::now())? else { continue };
            let began = Instant::now();
            pause = match self.correct(partition) {
                Ok(()) => (began.elapsed() * pace.pauses).min(LONGEST_PAUSE),
                Err(Stopped::Ended) => return Ok(()),
                Err(Stopped::Store(error)) => return Err(error),
                Err(Stopped::Busy) => AGAIN_AFTER,
                Err(Stopped::Log(error)) => {
                    tracing::warn!("what came late can't be counted yet, and is tried again: {error}");
                    AGAIN_AFTER
                }
            };
        }
    }

    /// The partition of this process whose pairs are to be corrected next: of those in which nothing more comes late for now, the one
    /// that has waited longest.
    fn due(&mut self, now: Instant) -> Result<Option<Partition>, StoreError> {
        let waiting = self.transact("waiting_corrections", |store| store.waiting_partitions())?;
        let own = waiting.into_iter().filter(|waiting| self.plan.assignment.owns(waiting.partition));
        let before = std::mem::take(&mut self.seen);
        let seen = own.map(|waiting| {
            let known = before.iter().find(|seen| seen.waiting.partition == waiting.partition);
            let first = known.map_or(now, |seen| seen.first);
            let changed = known.filter(|seen| seen.waiting == waiting).map_or(now, |seen| seen.changed);
            Seen { waiting, first, changed }
        });
        self.seen = seen.collect();
        let pairs: u64 = self.seen.iter().map(|seen| seen.waiting.pairs).sum();
        self.plan.observed.metrics.corrections_waiting.set(i64::try_from(pairs).unwrap_or(i64::MAX));
        let pace = self.plan.over.pace;
        let is_due = |seen: &&Seen| now - seen.changed >= pace.settled_for || now - seen.first >= pace.longest_wait;
        let due = self.seen.iter().filter(is_due).min_by_key(|seen| seen.first).map(|seen| seen.waiting.partition);
        if let Some(partition) = due {
            // Where it has more pairs than one correction takes, others come first.
            self.seen.iter_mut().filter(|seen| seen.waiting.partition == partition).for_each(|seen| seen.first = now);
        }
        Ok(due)
    }

    /// Corrects pairs of a partition, as many as it can at once.
    fn correct(&self, partition: Partition) -> Result<(), Stopped> {
        let Some(checkpoint) = self.plan.observed.checkpoint(partition) else { return Ok(()) };
        let waiting = self.transact("waiting_pairs", |store| store.waiting_of(partition, MAX_PAIRS))?;
        let mut pairs = at_once(waiting, checkpoint.log_time, &self.plan.rules);
        while !pairs.is_empty() {
            let began = Instant::now();
            let half = pairs.len() / 2;
            let sought = Sought::new(pairs.clone(), &self.plan.rules);
            let Some(from) = self.plan.log.first_at(sought.reads_from(&self.plan.rules))? else {
                return self.give_up(partition, &sought);
            };
            let mut records = Records::open(&*self.plan.log, partition, from, &self.plan.feeds)?;
            match latecomers::look(&mut records, &sought, checkpoint.processed, &self.plan.rules)? {
                Looked::TooMany => pairs.truncate(half.max(1)),
                Looked::Found(late) => {
                    let pasts = self.transact("pasts_before", |store| {
                        store.pasts_before(&sought.before(), &self.plan.rules.diagnosis)
                    })?;
                    let records = Records::open(&*self.plan.log, partition, from, &self.plan.feeds)?;
                    let (partitions, gathered_through) = (self.plan.partitions, checkpoint.processed);
                    let beginning = Beginning { partition, partitions, sought, late, pasts, records, gathered_through };
                    return self.complete(Round::new(beginning, &self.plan.rules), began);
                }
            }
        }
        Ok(())
    }

    /// Computes the pairs again, writes what differs, and hands them to their worker.
    fn complete(&self, mut round: Round, began: Instant) -> Result<(), Stopped> {
        for _ in 0..HOLDS {
            self.catch_up(&mut round)?;
            let held = Held::ask(&self.plan.feeds, round.partition);
            let Mark { checkpoint, state, .. } = self.mark(held.number)?;
            if state.due_pairs > 0 {
                // Right after a minute. What is due then takes a second at most.
                drop(held);
                std::thread::sleep(HELD_AGAIN_AFTER);
                continue;
            }
            while !round.advance(&checkpoint)?.0 {
                self.write_part(&mut round)?;
            }
            round.stand_at(&checkpoint);
            let (part, end) = self.write_last_part(&mut round, &checkpoint)?;
            let worker = self.plan.assignment.owner(round.partition) - self.plan.assignment.numbers().start;
            // A worker that is gone has ended with its pipeline, and the next start takes all of it from the store.
            if self.links.workers[worker].send(round.finish()).is_err() {
                return Err(Stopped::Ended);
            }
            let held_for = held.end();
            self.tell(&part, &end, began.elapsed(), held_for);
            return Ok(());
        }
        Err(Stopped::Busy)
    }

    /// Computes on until little is left to the newest commit, and writes what has come of it.
    fn catch_up(&self, round: &mut Round) -> Result<(), Stopped> {
        for _ in 0..CATCH_UPS {
            let Some(checkpoint) = self.plan.observed.checkpoint(round.partition) else { break };
            let mut all_read = 0;
            loop {
                let (has_come_there, read) = round.advance(&checkpoint)?;
                all_read += read;
                if has_come_there {
                    break;
                }
                self.write_part_in_turn(round)?;
            }
            if all_read <= CLOSE_ENOUGH {
                break;
            }
        }
        self.write_part_in_turn(round)
    }

    /// Waits until the partition stands, which this mark says.
    fn mark(&self, number: u64) -> Result<Mark, Stopped> {
        let until = Instant::now() + LONGEST_HOLD;
        loop {
            match self.links.marks.recv_deadline(until) {
                Ok(mark) if mark.number == number => return Ok(mark),
                // Of an earlier hold.
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Err(Stopped::Busy),
                Err(RecvTimeoutError::Disconnected) => return Err(Stopped::Ended),
            }
        }
    }

    fn write_part(&self, round: &mut Round) -> Result<(), Stopped> {
        let part = self.part(round)?;
        self.write(round, &part)?;
        self.show(&part);
        Ok(())
    }

    /// The same, and then gives others the time to write.
    fn write_part_in_turn(&self, round: &mut Round) -> Result<(), Stopped> {
        let began = Instant::now();
        self.write_part(round)?;
        std::thread::sleep(began.elapsed() * self.plan.over.pace.pauses);
        Ok(())
    }

    fn write_last_part(
        &self,
        round: &mut Round,
        checkpoint: &Checkpoint,
    ) -> Result<(Correction, CorrectionEnd), Stopped> {
        let part = self.part(round)?;
        let end = round.end(checkpoint);
        let part = Correction { end: Some(end.clone()), ..part };
        self.write(round, &part)?;
        Ok((part, CorrectionEnd { rows_written: round.rows_written(), ..end }))
    }

    fn part(&self, round: &mut Round) -> Result<Correction, Stopped> {
        let (after, through) = round.looks_to_change();
        let partition = round.partition;
        let stored = if after < through {
            self.transact("looks_of", |store| store.looks_of(partition, after, through))?
        } else {
            Vec::new()
        };
        Ok(round.part(stored))
    }

    fn write(&self, round: &mut Round, part: &Correction) -> Result<(), Stopped> {
        let generation = self.plan.over.link.generation;
        let rows = self.transact("correct", |store| store.correct(generation, part))?;
        self.plan.observed.metrics.corrected_rows.inc_by(rows);
        round.wrote(rows);
        Ok(())
    }

    /// The log has discarded what these pairs would be computed from. Their rows stay as they are.
    fn give_up(&self, partition: Partition, sought: &Sought) -> Result<(), Stopped> {
        let pairs: Vec<_> =
            sought.pairs.iter().map(|pair| (Arc::clone(&pair.client_id), Arc::clone(&pair.target))).collect();
        tracing::warn!(
            "{} pairs of partition {} have events that came late and can't be counted: the log has discarded what their windows \
             would be computed from; let it keep more",
            pairs.len(),
            partition.0,
        );
        self.plan.observed.metrics.corrections_given_up.inc_by(pairs.len() as u64);
        let generation = self.plan.over.link.generation;
        Ok(self.transact("give_up_corrections", |store| store.give_up(generation, partition, &pairs))?)
    }

    /// Shows the end of a correction.
    fn tell(&self, part: &Correction, end: &CorrectionEnd, took: Duration, held: Duration) {
        self.show(part);
        let metrics = &self.plan.observed.metrics;
        let Reclassified { accepted, duplicate } = end.reclassified;
        metrics.corrected_events.with_label_values(&[SUCCESS]).inc_by(accepted);
        metrics.corrected_events.with_label_values(&[DUPLICATE]).inc_by(duplicate);
        metrics.corrections_duration.observe(took.as_secs_f64());
        metrics.corrections_hold.observe(held.as_secs_f64());
        tracing::info!(
            partition = part.partition.0,
            pairs = end.pairs.len(),
            accepted,
            duplicate,
            rows = end.rows_written,
            "events that came late are counted, after {:.1} s",
            took.as_secs_f64()
        );
    }

    /// Shows rows that are written.
    fn show(&self, part: &Correction) {
        let Some(checkpoint) = self.plan.observed.checkpoint(part.partition) else { return };
        let commit = PartitionCommit {
            checkpoint,
            rows: part.rows.clone(),
            clients: Vec::new(),
            dead_letters: Vec::new(),
            looks: Vec::new(),
            waiting: Vec::new(),
            oldest_record: None,
        };
        self.plan.observed.live.publish(&[commit], Ledger::default());
    }

    fn transact<T>(
        &self,
        operation: &'static str,
        mut work: impl FnMut(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let FleetLink { store, patience, .. } = &self.plan.over.link;
        patience.insist(|| store.lock().transact(operation, &mut work))
    }
}

/// The feed of a partition that is held for as long as this is there.
struct Held<'a> {
    feeds: &'a LogFeeds,
    /// Of the mark that says that it stands.
    number: u64,
    since: Instant,
}

impl<'a> Held<'a> {
    fn ask(feeds: &'a LogFeeds, partition: Partition) -> Self {
        let (number, since) = (feeds.hold(partition), Instant::now());
        Self { feeds, number, since }
    }

    /// Lets it go on. Returns how long it was held.
    fn end(self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.feeds.release();
    }
}

/// The first of these pairs, as many as one correction computes at once.
fn at_once(mut waiting: Vec<WaitingCorrection>, now: LogTime, rules: &Rules) -> Vec<WaitingCorrection> {
    let mut windows = 0;
    let fitting = waiting.iter().take_while(|pair| {
        windows += (now.ms() - pair.from.ms()) / rules.window_ms + 1;
        windows <= MAX_WINDOWS
    });
    let fitting = fitting.count();
    waiting.truncate(fitting.max(1));
    waiting
}

#[cfg(test)]
mod tests {
    use netqoe_model::{Position, WindowStart};

    use super::*;

    #[test]
    fn pairs_that_go_back_further_are_fewer_at_once() {
        let rules = Rules::default();
        let waiting = |minutes: i64, pairs: usize| {
            let from = WindowStart::from_ms(-minutes * 60_000);
            let pair = |_| WaitingCorrection {
                client_id: "c".into(),
                target: "t".into(),
                from,
                since: Position(1),
                events: 1,
            };
            at_once((0..pairs).map(pair).collect(), LogTime::from_ms(0), &rules).len()
        };
        assert_eq!(waiting(60, 500), 500);
        assert_eq!(waiting(1_439, 500), 34);
        assert_eq!(waiting(1_000_000, 500), 1, "one in any case");
        assert_eq!(waiting(60, 0), 0);
    }
}
