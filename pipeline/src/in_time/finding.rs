//! The first reading: which events came late.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use netqoe_model::{Event, EventTime, Fingerprint, LogTime, Rules, WindowStart};

use super::each_timed;
use super::latecomers::Gap;

/// An event that came late.
pub(super) struct Late {
    /// What its copies share.
    pub(super) key: Key,
    pub(super) ts: EventTime,
    /// The last log time at which it counts.
    pub(super) counts_until: LogTime,
    /// The first line at which the log was past that.
    pub(super) closed_at: u64,
    /// Where its line begins in the file of moved lines.
    pub(super) offset: u64,
    pub(super) bytes: usize,
}

/// Copies of an event are found within a window.
pub(super) type Key = (Fingerprint, WindowStart);

/// What the first reading comes to.
pub(super) struct Found {
    /// As they came.
    pub(super) late: Vec<Late>,
    pub(super) gaps: Vec<Gap>,
    /// Their lines, one after the other.
    pub(super) lines: File,
}

impl Found {
    pub(super) fn read(input: Box<dyn Read + Send>, horizon_ms: i64, rules: &Rules) -> io::Result<Self> {
        let lines = tempfile::tempfile()?;
        let mut writer = BufWriter::new(lines.try_clone()?);
        let mut written = 0;
        let (mut late, mut gaps) = (Vec::new(), Vec::new());
        let mut closings = Closings { horizon_ms, log_time: LogTime::default(), lines: BTreeMap::new() };
        each_timed(input, |number, line, log_time, event| {
            closings.move_to(log_time, number, rules);
            let Some(event) = event.filter(|event| rules.is_late(event.ts, log_time)) else { return Ok(()) };
            let window = event.ts.window(rules.window_ms);
            if log_time.ms() - (window.ms() + rules.window_ms) > horizon_ms {
                return Ok(());
            }
            let counts_until = rules.closes_after(window);
            late.push(Late {
                key: key(event, rules),
                ts: event.ts,
                counts_until,
                closed_at: closings.lines[&counts_until], // the log has passed it, and the horizon reaches it
                offset: written,
                bytes: line.len(),
            });
            gaps.push(Gap { line: number, log_time });
            written += line.len() as u64;
            writer.write_all(line)
        })?;
        writer.flush()?;
        Ok(Self { late, gaps, lines })
    }
}

pub(super) fn key(event: &Event<'_>, rules: &Rules) -> Key {
    (Fingerprint::of(&event.event_id), event.ts.window(rules.window_ms))
}

/// For each time after which a window is closed, as far back as the horizon reaches: the first line at which the log was past it.
struct Closings {
    horizon_ms: i64,
    log_time: LogTime,
    lines: BTreeMap<LogTime, u64>,
}

impl Closings {
    fn move_to(&mut self, log_time: LogTime, number: u64, rules: &Rules) {
        if log_time <= self.log_time {
            return;
        }
        // After this time the first window is closed that an event can have now and be corrected.
        let reached_ms = log_time.ms() - self.horizon_ms + rules.lateness_ms;
        let from_ms = self.log_time.ms().max(reached_ms);
        // A window is closed the lateness after its end, and ends at a multiple of its length.
        let mut closing_ms = from_ms + (rules.lateness_ms - from_ms).rem_euclid(rules.window_ms);
        while closing_ms < log_time.ms() {
            self.lines.insert(LogTime::from_ms(closing_ms), number);
            closing_ms += rules.window_ms;
        }
        while self.lines.first_key_value().is_some_and(|(closing, _)| closing.ms() < reached_ms) {
            self.lines.pop_first();
        }
        self.log_time = log_time;
    }
}
