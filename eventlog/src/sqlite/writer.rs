//! The one thread that writes the log: group commit, log time, retention.

use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_model::{LogTime, Partition, Position};
use netqoe_trace::{Contexts, Kind, Span, Tracer};
use parking_lot::FairMutex;
use rusqlite::Connection;

use super::log_timer::LogTimer;
use super::queue::{Answer, Group, Lines, Request, Waited, bytes_of};
use super::records::{self, Tail};
use super::retention::Retention;
use super::schema::WriterLock;
use super::shared::Shared;
use crate::AppendError;

/// How often overdue records are looked for, and a log that failed is tried.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The writing end of a log.
pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub connection: Connection,
    pub write_turn: Arc<FairMutex<()>>,
    pub clock: LogTimer,
    pub tail: Tail,
    pub retention: Retention,
    pub tracer: Tracer,
    /// Held for as long as this thread writes.
    pub _lock: WriterLock,
}

impl Writer {
    /// Writes what comes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut upkeep_at = Instant::now();
        loop {
            match self.shared.queue.wait(upkeep_at.saturating_duration_since(Instant::now())) {
                Waited::Arrived => self.commit_group(),
                Waited::Idle => {}
                Waited::Closed => return,
            }
            if upkeep_at <= Instant::now() {
                let more_to_do = self.upkeep();
                upkeep_at = Instant::now() + if more_to_do { Duration::ZERO } else { UPKEEP_INTERVAL };
            }
        }
    }

    fn commit_group(&mut self) {
        let write_turn = Arc::clone(&self.write_turn);
        let _turn = write_turn.lock();
        // Taken only now: what came while this connection waited for its turn is in the same group.
        match self.shared.queue.take() {
            Group::Now(requests) => self.append(requests),
            Group::Import(groups, answer) => self.import(&groups, answer),
        }
    }

    fn append(&mut self, requests: Vec<Request>) {
        let full = self.full();
        let (mut group, mut traces) = (Lines::new(), Contexts::default());
        let mut answers = Vec::with_capacity(requests.len());
        for Request { lines, trace, answer } in requests {
            match &full {
                // Ticks go on: only they close windows, after which something can be discarded.
                Some(full) if lines.values().any(|lines| !lines.is_empty()) => reply(answer, Err(full.clone())),
                _ => {
                    merge(&mut group, lines);
                    traces.extend(trace);
                    answers.push(answer);
                }
            }
        }
        match self.clock.now(self.tail.log_time) {
            Ok(log_time) => {
                let span = self.span(&traces, &group, answers.len());
                self.commit(&[(log_time, group)], answers, span);
            }
            Err(error) => self.refuse(answers, error),
        }
    }

    fn import(&mut self, groups: &[(LogTime, Lines)], answer: Answer) {
        let mut last = self.tail.log_time;
        for (log_time, _) in groups {
            if *log_time < last {
                return reply(answer, Err(AppendError::TimeFalls { log_time: *log_time, last }));
            }
            last = *log_time;
        }
        // What was made elsewhere has its times from a clock as well, which may be this one.
        let doubt = self.clock.now(self.tail.log_time).err();
        match doubt.or_else(|| self.full()) {
            Some(error) => reply(answer, Err(error)),
            None => self.commit(groups, vec![answer], Span::default()),
        }
    }

    /// Of a transaction.
    fn span(&self, traces: &Contexts, group: &Lines, requests: usize) -> Span {
        let mut span = self.tracer.follow("publish", Kind::Producer, traces, None);
        span.set_text("messaging.system", "sqlite");
        span.set_count("netqoe.requests", requests as u64);
        span.set_count("netqoe.records", group.len() as u64);
        span.set_count("netqoe.bytes", bytes_of(group) as u64);
        span
    }

    /// Why events are refused, if they are.
    fn full(&self) -> Option<AppendError> {
        let full = AppendError::AtSizeLimit { max_bytes: self.retention.max_bytes() };
        self.retention.is_full(&self.tail).then_some(full)
    }

    /// Makes records durable, answers their senders, and wakes their readers.
    fn commit(&mut self, groups: &[(LogTime, Lines)], answers: Vec<Answer>, mut span: Span) {
        match self.write(groups) {
            Ok(written) => {
                if let Some(context) = span.sampled() {
                    self.shared.handover.put(&written, context);
                }
                drop(span);
                self.shared.heads.advance(&written);
                // What was written to a file that was gone by then is not durable.
                match self.shared.in_place() {
                    Ok(()) => {
                        self.set_health(Ok(()));
                        answer_all(answers, &Ok(self.tail.log_time));
                    }
                    Err(error) => self.refuse(answers, error),
                }
                self.shared.heads.wake(&written);
            }
            Err(error) => {
                span.fail("the log was not written");
                self.refuse(answers, error);
            }
        }
    }

    fn write(&mut self, groups: &[(LogTime, Lines)]) -> Result<Vec<(Partition, Position)>, AppendError> {
        self.shared.in_place()?;
        let written = records::write(&mut self.connection, &mut self.tail, groups);
        written.map_err(|error| self.shared.append_error(&error))
    }

    fn refuse(&self, answers: Vec<Answer>, error: AppendError) {
        // Set before the answer, so that a sender that hears of the failure finds it in the log's health too.
        self.set_health(Err(error.clone()));
        answer_all(answers, &Err(error));
    }

    /// Discards some of what is overdue, and tries a log that failed. True where there may be more to discard.
    fn upkeep(&mut self) -> bool {
        let write_turn = Arc::clone(&self.write_turn);
        let _turn = write_turn.lock();
        let looked = self.clock.now(self.tail.log_time);
        // By a clock that is ahead everything would be old.
        let now = *looked.as_ref().unwrap_or(&self.tail.log_time);
        let discarded = self.retention.discard_some(&self.connection, &self.tail, now, &self.shared.needed);
        let tried = discarded.and_then(|discarded| {
            self.clock.store(&self.connection)?;
            // While the log is reported as unable, nobody may send anything that would show that it is able again.
            if self.shared.health.get().is_err() {
                records::try_to_write(&self.connection)?;
            }
            Ok(discarded)
        });
        let able = tried.as_ref().map(|_| ()).map_err(|error| self.shared.append_error(error));
        self.set_health(able.and_then(|()| self.shared.in_place()).and_then(|()| looked.map(|_| ())));
        tried.unwrap_or(false)
    }

    fn set_health(&self, tried: Result<(), AppendError>) {
        let able = tried.and_then(|()| self.full().map_or(Ok(()), Err));
        self.shared.health.set(able.map_err(|error| error.without_place()));
    }
}

/// Adds what one request appends to what its group appends.
fn merge(group: &mut Lines, request: Lines) {
    for (partition, lines) in request {
        let together = group.entry(partition).or_default();
        if together.is_empty() {
            *together = lines;
        } else {
            together.extend_from_slice(&lines);
        }
    }
}

fn answer_all(answers: Vec<Answer>, outcome: &Result<LogTime, AppendError>) {
    for answer in answers {
        reply(answer, outcome.clone());
    }
}

fn reply(answer: Answer, outcome: Result<LogTime, AppendError>) {
    // A sender that is gone needs no answer; what it sent is in the log all the same.
    drop(answer.send(outcome));
}
