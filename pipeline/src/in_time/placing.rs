//! The second reading: where events that came late belong.

use std::collections::HashMap;
use std::io::{self, Read};

use netqoe_model::{LogTime, Rules};

use super::each_timed;
use super::finding::{Key, Late, key};
use super::latecomers::Move;

/// An event of which no copy came in time, as far as is known.
struct Unique {
    /// Which of its copies came first: where its line begins in the file of moved lines.
    first: u64,
    /// When that was measured.
    measured: LogTime,
    /// The first line at which the log was past that.
    before: u64,
}

/// Puts each event where it was measured. Of copies the first in the log counts: all others are put where their window closes, behind
/// that one.
pub(super) fn place(input: Box<dyn Read + Send>, late: &[Late], rules: &Rules) -> io::Result<Vec<Move>> {
    let mut unique: HashMap<Key, Unique> = HashMap::new();
    for &Late { key, ts, offset, .. } in late {
        let first = || Unique { first: offset, measured: LogTime::from_ms(ts.ms()), before: 0 };
        unique.entry(key).or_insert_with(first);
    }
    let mut unplaced: Vec<_> = unique.iter().map(|(key, event)| (event.measured, *key)).collect();
    unplaced.sort_unstable();
    let mut unplaced = unplaced.into_iter().peekable();
    each_timed(input, |number, _, log_time, event| {
        while let Some((_, key)) = unplaced.next_if(|(measured, _)| *measured < log_time) {
            unique.entry(key).and_modify(|event| event.before = number);
        }
        if let Some(event) = event.filter(|event| !rules.is_late(event.ts, log_time)) {
            unique.remove(&key(event, rules));
        }
        Ok(())
    })?;
    let place = |&Late { key, counts_until, closed_at, offset, bytes, .. }: &Late| {
        let (before, log_time) = match unique.get(&key) {
            Some(event) if event.first == offset => (event.before, event.measured),
            _ => (closed_at, counts_until),
        };
        Move { before, log_time, offset, bytes }
    };
    let mut moves: Vec<_> = late.iter().map(place).collect();
    moves.sort_unstable();
    Ok(moves)
}
