//! Which events of a history came late, and where they belong.

use std::fs::File;
use std::io::{self, Read};

use netqoe_model::{LogTime, Rules};

use super::finding::Found;
use super::placing;

/// The events of a history that came after their windows were closed, and within the correction horizon. Each takes some 200 bytes of
/// memory while they are looked for and 48 afterwards, and its line a place in a temporary file.
pub struct Latecomers {
    /// In the order in which they are put in.
    pub(super) moves: Vec<Move>,
    /// Where they stood, in order.
    pub(super) gaps: Vec<Gap>,
    /// Their lines.
    pub(super) lines: File,
}

/// A line that is moved. Ordered as lines are put in: by the line before which they belong, then by their new log time, then as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    pub(super) before: u64,
    pub(super) log_time: LogTime,
    /// Where it begins in the file of moved lines.
    pub(super) offset: u64,
    pub(super) bytes: usize,
}

/// The place that a line has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) line: u64,
    /// How far the line had moved the log.
    pub(super) log_time: LogTime,
}

impl Latecomers {
    /// Reads a whole history twice. An event comes late where its window is closed by then, and too late to be corrected where the log is
    /// further than `horizon_ms` past its window's end.
    ///
    /// # Errors
    /// Where the history can't be read, or the temporary file not be written.
    pub fn find([first, second]: [Box<dyn Read + Send>; 2], horizon_ms: i64, rules: &Rules) -> io::Result<Self> {
        let Found { late, gaps, lines } = Found::read(first, horizon_ms, rules)?;
        let moves = if late.is_empty() { Vec::new() } else { placing::place(second, &late, rules)? };
        Ok(Self { moves, gaps, lines })
    }

    /// How many there are, copies of events included.
    pub fn count(&self) -> usize {
        self.moves.len()
    }
}
