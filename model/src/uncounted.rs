//! Events that were sent and that no row counts: how many of them, minute by minute, why, and the last of each kind.
//!
//! Pure but for a lock: times are passed in. Counts are of this process, and last as long as it does.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Minutes that are kept: a day in which something is left out every minute. With the longest texts for every reason there is, that
/// is some 10 MB.
const KEPT_MINUTES: usize = 1_440;
/// Bytes that are kept of a name or a message: enough to recognize it, whatever others send.
const MAX_TEXT_BYTES: usize = 200;
const MINUTE_MS: i64 = 60_000;

/// Where an event was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Ingest did not take it.
    Refused,
    /// The log took it after its window was closed.
    Late,
    /// It is in the log and can't be counted: a dead letter.
    Unreadable,
}

/// An event that was left out, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Example<'a> {
    /// Whose it is, as the sender says.
    pub client_id: Option<&'a str>,
    /// What it measured, as the sender says.
    pub target: Option<&'a str>,
    /// What is wrong, for people.
    pub message: &'a str,
}

/// The last event that was left out for a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastLeftOut {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// Whose it is, as the sender says; cut where it is long.
    pub client_id: Option<Box<str>>,
    /// What it measured, as the sender says; cut where it is long.
    pub target: Option<Box<str>>,
    /// What was wrong, for people; cut where it is long. It may quote what others have sent.
    pub message: Box<str>,
}

/// The events that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCount {
    /// Where.
    pub left_out: LeftOut,
    /// Why, for programs.
    pub reason: &'static str,
    /// How many.
    pub count: u64,
    /// The last of them.
    pub last: LastLeftOut,
}

/// What was left out in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UncountedRange {
    /// The most frequent reason first.
    pub reasons: Vec<ReasonCount>,
    /// Events before this time are no part of it, Unix milliseconds.
    pub counted_since_ms: i64,
}

/// What was left out, until now. Clones are the same.
#[derive(Clone, Debug)]
pub struct Uncounted(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    since_ms: i64,
    minutes: BTreeMap<i64, Vec<ReasonCount>>,
}

impl Uncounted {
    /// Nothing was left out yet. Counted since this time, in Unix milliseconds.
    pub fn since(since_ms: i64) -> Self {
        Self(Arc::new(Mutex::new(Kept { since_ms, minutes: BTreeMap::new() })))
    }

    /// So many events were left out for a reason at a time, in Unix milliseconds; `example` is the last of them.
    pub fn note(&self, at_ms: i64, left_out: LeftOut, reason: &'static str, count: u64, example: Example<'_>) {
        if count == 0 {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = kept.minutes.entry(at_ms.div_euclid(MINUTE_MS)).or_default();
        let last = || LastLeftOut::of(at_ms, example);
        match minute.iter_mut().find(|known| (known.left_out, known.reason) == (left_out, reason)) {
            Some(known) => {
                known.count = known.count.saturating_add(count);
                if at_ms >= known.last.at_ms {
                    known.last = last();
                }
            }
            None => minute.push(ReasonCount { left_out, reason, count, last: last() }),
        }
        if kept.minutes.len() > KEPT_MINUTES
            && let Some((minute, _)) = kept.minutes.pop_first()
        {
            kept.since_ms = kept.since_ms.max((minute + 1) * MINUTE_MS);
        }
    }

    /// What was left out in the minutes that begin before the end of a range, in Unix milliseconds, and end after it begins.
    pub fn within(&self, range_ms: Range<i64>) -> UncountedRange {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, end) =
            (range_ms.start.div_euclid(MINUTE_MS), range_ms.end.saturating_sub(1).div_euclid(MINUTE_MS) + 1);
        let mut reasons: BTreeMap<(LeftOut, &str), ReasonCount> = BTreeMap::new();
        // From the newest minute on, so that the first example of a reason is the last.
        for found in kept.minutes.range(first..end.max(first)).rev().flat_map(|(_, found)| found) {
            let key = (found.left_out, found.reason);
            match reasons.get_mut(&key) {
                Some(known) => known.count = known.count.saturating_add(found.count),
                None => _ = reasons.insert(key, found.clone()),
            }
        }
        let mut reasons: Vec<_> = reasons.into_values().collect();
        reasons.sort_by_key(|reason| Reverse(reason.count));
        UncountedRange { reasons, counted_since_ms: kept.since_ms }
    }
}

impl LastLeftOut {
    fn of(at_ms: i64, Example { client_id, target, message }: Example<'_>) -> Self {
        let (client_id, target) = (client_id.map(cut), target.map(cut));
        Self { at_ms, client_id, target, message: cut(message) }
    }
}

fn cut(text: &str) -> Box<str> {
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    if end == text.len() { text.into() } else { format!("{}…", &text[..end]).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(client_id: &str) -> Example<'_> {
        Example { client_id: Some(client_id), target: None, message: "no" }
    }

    fn told(found: &UncountedRange) -> Vec<(LeftOut, &str, u64, &str)> {
        found
            .reasons
            .iter()
            .map(|of| (of.left_out, of.reason, of.count, of.last.client_id.as_deref().unwrap()))
            .collect()
    }

    #[test]
    fn a_range_counts_its_minutes_by_reason_and_has_the_last_of_each() {
        let uncounted = Uncounted::since(7);
        for (at_ms, left_out, reason, count, client) in [
            (59_999, LeftOut::Refused, "rate", 1, "before"),
            (60_000, LeftOut::Refused, "rate", 2, "first"),
            (70_000, LeftOut::Late, "late", 4, "late"),
            (179_999, LeftOut::Refused, "rate", 3, "last"),
            (179_000, LeftOut::Refused, "rate", 1, "told after the last"),
            (100_000, LeftOut::Refused, "time", 5, "other"),
            (110_000, LeftOut::Refused, "none", 0, "none"),
            (180_000, LeftOut::Late, "late", 1, "after"),
        ] {
            uncounted.note(at_ms, left_out, reason, count, example(client));
        }
        let found = uncounted.within(60_000..180_000);
        let expected = [
            (LeftOut::Refused, "rate", 6, "last"),
            (LeftOut::Refused, "time", 5, "other"),
            (LeftOut::Late, "late", 4, "late"),
        ];
        assert_eq!((told(&found), found.counted_since_ms), (expected.to_vec(), 7));
        assert_eq!(told(&uncounted.within(60_001..60_002)), told(&uncounted.within(60_000..120_000)));
        for (from_ms, to_ms) in [(60_000, 60_000), (180_000, 60_000), (i64::MIN, 0), (240_000, i64::MAX)] {
            assert_eq!(uncounted.within(from_ms..to_ms).reasons, []);
        }
    }

    #[test]
    fn memory_is_bounded_and_says_since_when_it_counts() {
        let uncounted = Uncounted::since(0);
        for minute in 0..3_000 {
            uncounted.note(minute * MINUTE_MS, LeftOut::Late, "late", 1, example("é"));
        }
        let found = uncounted.within(i64::MIN..i64::MAX);
        let kept = KEPT_MINUTES as i64;
        assert_eq!((found.reasons[0].count, found.counted_since_ms), (1_440, (3_000 - kept) * MINUTE_MS));

        let long = "é".repeat(MAX_TEXT_BYTES);
        uncounted.note(0, LeftOut::Late, "late", 1, example("older than all that is kept"));
        uncounted.note(3_000 * MINUTE_MS, LeftOut::Late, "late", 1, Example { message: &long, ..example(&long) });
        let last = &uncounted.within(i64::MIN..i64::MAX).reasons[0].last;
        assert_eq!((last.message.len(), last.client_id.as_ref().unwrap().chars().count()), (203, 101));
    }
}
