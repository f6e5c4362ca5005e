//! Two findings of one history side by side: which incidents both have, and which only one of them has.
//!
//! Two incidents are of *one fault* if they were open at the same time, and either have the same label and cause, or share at
//! least half of the members of the one that has fewer. An incident is of one fault with one other at most: of all possible
//! couples the most alike is taken first, and so on. The same label and cause go before the same cause, this before a greater share of
//! members, and this before a longer time that both were open.

use std::cmp::Reverse;
use std::ops::Range;

use netqoe_model::{Cause, Label};

/// Windows by which a time has to differ for an incident to be moved: as many as it may take to be told.
pub const MOVED_WINDOWS: i64 = 2;

/// Shares are compared as whole millionths, so that no machine gives another result.
const MILLIONTHS: u64 = 1_000_000;
const ENOUGH_SHARE: u64 = MILLIONTHS / 2;

/// An incident as it was told in the end. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldIncident<'a> {
    /// Which one.
    pub id: &'a str,
    /// What its pairs suffer from.
    pub label: Label,
    /// What its pairs have in common.
    pub cause: Cause,
    /// The first window with evidence.
    pub opened_ms: i64,
    /// The log time at which it was first told.
    pub detected_ms: i64,
    /// Its end, once it is over.
    pub closed_ms: Option<i64>,
    /// Client and target of each pair that had its label while it was open, in order.
    pub members: &'a [(String, String)],
}

/// In what two incidents of one fault differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// They have another label.
    Label,
    /// They have another cause.
    Cause,
    /// They opened more than [`MOVED_WINDOWS`] apart.
    Opened,
    /// They were told more than [`MOVED_WINDOWS`] apart.
    Detected,
    /// They closed more than [`MOVED_WINDOWS`] apart, or one of them is still open.
    Closed,
}

impl Difference {
    /// The name of the member that differs, as `netqoe incidents --json` calls it, without its unit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Cause => "cause",
            Self::Opened => "opened",
            Self::Detected => "detected",
            Self::Closed => "closed",
        }
    }
}

/// Two incidents of one fault, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// In the first finding.
    pub present: usize,
    /// In the second one.
    pub new: usize,
    /// In what they differ.
    pub differences: Vec<Difference>,
}

/// How the incidents of two findings differ. Numbers are those of the lists that were compared, and rise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many both have, with the same label, cause and times.
    pub same: usize,
    /// Those that both have, with another label, cause or time.
    pub moved: Vec<Moved>,
    /// Those that only the first finding has.
    pub lost: Vec<usize>,
    /// Those that only the second finding has.
    pub gained: Vec<usize>,
}

/// Compares what was told with the present rules and with new ones. Incidents of all of the history are matched, and those
/// count that opened within `range_ms`: so one that began before it is not gained because other rules open it a window later.
pub fn compare(
    present: &[ToldIncident<'_>],
    new: &[ToldIncident<'_>],
    range_ms: &Range<i64>,
    window_ms: i64,
) -> Comparison {
    let is_counted = |incident: &ToldIncident<'_>| range_ms.contains(&incident.opened_ms);
    let mut comparison = Comparison::default();
    let (mut is_free, mut is_free_of_new) = (vec![true; present.len()], vec![true; new.len()]);
    let mut couples = Vec::new();
    for couple in ranked(present, new) {
        if is_free[couple.present] && is_free_of_new[couple.new] {
            (is_free[couple.present], is_free_of_new[couple.new]) = (false, false);
            couples.push((couple.present, couple.new));
        }
    }
    couples.sort_unstable();
    for (present_number, new_number) in couples {
        let (a, b) = (&present[present_number], &new[new_number]);
        if !is_counted(a) && !is_counted(b) {
            continue;
        }
        let differences = differences(a, b, window_ms);
        if differences.is_empty() {
            comparison.same += 1;
        } else {
            comparison.moved.push(Moved { present: present_number, new: new_number, differences });
        }
    }
    let counted = |incidents: &[ToldIncident<'_>], is_free: &[bool]| {
        let free = incidents.iter().zip(is_free).enumerate();
        free.filter(|(_, (incident, is_free))| **is_free && is_counted(incident)).map(|(number, _)| number).collect()
    };
    comparison.lost = counted(present, &is_free);
    comparison.gained = counted(new, &is_free_of_new);
    comparison
}

/// Two incidents that may be of one fault, and how alike they are.
struct Couple {
    likeness: (bool, bool, u64, i64),
    present: usize,
    new: usize,
}

/// All couples, the most alike first.
fn ranked(present: &[ToldIncident<'_>], new: &[ToldIncident<'_>]) -> Vec<Couple> {
    let mut couples = Vec::new();
    for (present, a) in present.iter().enumerate() {
        let possible = new.iter().enumerate();
        couples.extend(possible.filter_map(|(new, b)| Some(Couple { likeness: likeness(a, b)?, present, new })));
    }
    couples.sort_by_key(|couple| (Reverse(couple.likeness), couple.present, couple.new));
    couples
}

/// How alike two incidents are; `None` where they are not of one fault.
fn likeness(a: &ToldIncident<'_>, b: &ToldIncident<'_>) -> Option<(bool, bool, u64, i64)> {
    let end_ms = |incident: &ToldIncident<'_>| incident.closed_ms.unwrap_or(i64::MAX);
    let together_ms = end_ms(a).min(end_ms(b)).saturating_sub(a.opened_ms.max(b.opened_ms));
    if together_ms <= 0 {
        return None;
    }
    let is_same_cause = a.cause == b.cause;
    let is_same = is_same_cause && a.label == b.label;
    let share = share(a.members, b.members);
    (is_same || share >= ENOUGH_SHARE).then_some((is_same, is_same_cause, share, together_ms))
}

/// What part of the members of the smaller incident the other one has, in millionths.
fn share(a: &[(String, String)], b: &[(String, String)]) -> u64 {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let shared = few.iter().filter(|pair| many.binary_search(pair).is_ok()).count();
    shared as u64 * MILLIONTHS / few.len().max(1) as u64
}

fn differences(a: &ToldIncident<'_>, b: &ToldIncident<'_>, window_ms: i64) -> Vec<Difference> {
    let is_apart = |a_ms: i64, b_ms: i64| a_ms.saturating_sub(b_ms).saturating_abs() > MOVED_WINDOWS * window_ms;
    let closed = match (a.closed_ms, b.closed_ms) {
        (Some(a_ms), Some(b_ms)) => is_apart(a_ms, b_ms),
        (None, None) => false,
        _ => true,
    };
    let all = [
        (Difference::Label, a.label != b.label),
        (Difference::Cause, a.cause != b.cause),
        (Difference::Opened, is_apart(a.opened_ms, b.opened_ms)),
        (Difference::Detected, is_apart(a.detected_ms, b.detected_ms)),
        (Difference::Closed, closed),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(difference, _)| difference).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netqoe_model::Dimension;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn members(numbers: Range<u32>) -> Vec<(String, String)> {
        let mut members: Vec<_> = numbers.map(|number| (format!("client-{number}"), "t".to_owned())).collect();
        members.sort();
        members
    }

    /// An incident of the target `cause` that was told two minutes after it opened.
    fn incident<'a>(
        cause: &'a str,
        label: Label,
        minutes: Range<i64>,
        members: &'a [(String, String)],
    ) -> ToldIncident<'a> {
        ToldIncident {
            id: cause,
            label,
            cause: Cause { dimension: Dimension::Target, value: vec![Arc::from(cause)] },
            opened_ms: minutes.start * MINUTE_MS,
            detected_ms: (minutes.start + 2) * MINUTE_MS,
            closed_ms: Some(minutes.end * MINUTE_MS),
            members,
        }
    }

    /// Compares two lists over the minutes 100 to 200. Answers how many are the same, what of moved ones differs, what is lost, and
    /// what is gained.
    fn check(
        present: &[ToldIncident<'_>],
        new: &[ToldIncident<'_>],
        expected: (usize, &[&[Difference]], &[usize], &[usize]),
    ) {
        let Comparison { same, moved, lost, gained } =
            compare(present, new, &(100 * MINUTE_MS..200 * MINUTE_MS), MINUTE_MS);
        let moved: Vec<_> = moved.iter().map(|moved| &moved.differences[..]).collect();
        assert_eq!((same, &moved[..], &lost[..], &gained[..]), expected);
    }

    #[test]
    fn what_both_have_is_the_same_or_moved() {
        let all = members(0..10);
        let first = || incident("a", Label::DnsBound, 120..140, &all);
        check(&[first()], &[first()], (1, &[], &[], &[]));
        check(&[first()], &[incident("a", Label::DnsBound, 122..138, &all)], (1, &[], &[], &[]));
        let later = [incident("a", Label::DnsBound, 123..143, &all)];
        check(&[first()], &later, (0, &[&[Difference::Opened, Difference::Detected, Difference::Closed]], &[], &[]));
        check(&[first()], &[incident("a", Label::ErrorBound, 120..140, &all)], (0, &[&[Difference::Label]], &[], &[]));
        check(&[first()], &[incident("b", Label::DnsBound, 120..140, &all)], (0, &[&[Difference::Cause]], &[], &[]));
        let open = [ToldIncident { closed_ms: None, ..first() }];
        check(&[first()], &open, (0, &[&[Difference::Closed]], &[], &[]));
        check(&open, &open, (1, &[], &[], &[]));
    }

    #[test]
    fn what_only_one_has_is_lost_or_gained() {
        let (all, others) = (members(0..10), members(10..20));
        let first = [incident("a", Label::DnsBound, 120..140, &all)];
        check(&first, &[], (0, &[], &[0], &[]));
        check(&[], &first, (0, &[], &[], &[0]));
        check(&first, &[incident("a", Label::DnsBound, 140..160, &all)], (0, &[], &[0], &[0]));
        check(&first, &[incident("b", Label::DnsBound, 120..140, &others)], (0, &[], &[0], &[0]));
        // The same cause and another label, among other pairs, is another fault.
        check(&first, &[incident("a", Label::ErrorBound, 120..140, &others)], (0, &[], &[0], &[0]));
    }

    #[test]
    fn half_of_the_smaller_one_is_enough() {
        let (all, half, less) = (members(0..20), members(15..25), members(16..25));
        let first = [incident("a", Label::DnsBound, 120..140, &all)];
        check(&first, &[incident("b", Label::DnsBound, 120..140, &half)], (0, &[&[Difference::Cause]], &[], &[]));
        check(&first, &[incident("b", Label::DnsBound, 120..140, &less)], (0, &[], &[0], &[0]));
    }

    #[test]
    fn the_most_alike_are_taken_first() {
        let (all, few) = (members(0..10), members(0..3));
        let first = [incident("a", Label::DnsBound, 120..140, &all)];
        let parts = [incident("b", Label::DnsBound, 120..140, &few), incident("a", Label::DnsBound, 120..140, &few)];
        check(&first, &parts, (1, &[], &[], &[0]));
        let twice = [incident("a", Label::DnsBound, 120..123, &all), incident("a", Label::DnsBound, 124..140, &all)];
        check(&first, &twice, (0, &[&[Difference::Opened, Difference::Detected]], &[], &[0]));
    }

    #[test]
    fn what_began_before_the_range_is_not_gained() {
        let all = members(0..10);
        let before = [incident("a", Label::DnsBound, 98..140, &all)];
        let within = [incident("a", Label::DnsBound, 103..140, &all)];
        check(&[], &before, (0, &[], &[], &[]));
        check(&before, &[], (0, &[], &[], &[]));
        check(&before, &within, (0, &[&[Difference::Opened, Difference::Detected]], &[], &[]));
        check(&[], &[incident("a", Label::DnsBound, 200..210, &all)], (0, &[], &[], &[]));
    }
}
