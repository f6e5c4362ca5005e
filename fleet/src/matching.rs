//! Which fault an incident is of, where faults are known: in a simulation, or in a list that people keep.
//!
//! An incident is *of* a fault if it has a label of the fault and the fault's scope is its cause, while the fault is there; or
//! else if the fault accounts for at least half of its members: they lie in the fault's scope, and had the label while the fault
//! was there, or shortly before or after. Of several faults, one whose scope is the cause goes first, then the one that accounts for
//! most members.

use std::cmp::Ordering;

use netqoe_model::{Cause, Label, WindowStart};

/// What a fault has done is seen for a while after its end: windows still hold measurements of it, and labels need a few healthy
/// windows to go.
const AFTER_MS: i64 = 10 * 60_000;
/// A window in which a fault begins may show it.
const BEFORE_MS: i64 = 60_000;
/// Share of an incident's members that a fault must account for.
const ENOUGH_SHARE: f64 = 0.5;

/// A fault of which it is known when it was there and whom it hurt. `M` names a pair.
pub trait KnownFault<M> {
    /// When it began, and when it was over, in Unix milliseconds.
    fn span_ms(&self) -> (i64, i64);
    /// Whether it leads to this label.
    fn has_label(&self, label: Label) -> bool;
    /// Whether it hurts this pair.
    fn holds(&self, pair: &M) -> bool;
    /// Whether a cause holds the pairs that it hurts, and no others.
    fn is_scope(&self, cause: &Cause) -> bool;
}

/// A pair of an incident, and the first and the newest of its windows with the label.
pub type Since<M> = (M, WindowStart, WindowStart);

/// What an incident says, as far as it has to be the same as what a fault has done.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a, M> {
    /// What its pairs suffer from.
    pub label: Label,
    /// What its pairs have in common.
    pub cause: &'a Cause,
    /// The pairs that had the label while it was open.
    pub members: &'a [Since<M>],
}

impl<M> Finding<'_, M> {
    /// The number of the fault that this is of; `None` where it is false.
    pub fn fault<F: KnownFault<M>>(&self, faults: &[F]) -> Option<usize> {
        let possible = faults.iter().enumerate().filter(|(_, fault)| fault.has_label(self.label));
        let ranked = possible.filter_map(|(number, fault)| {
            let (share, is_scope) = (self.share(fault), self.is_of_scope(fault));
            (is_scope || share >= ENOUGH_SHARE).then_some((is_scope, share, number))
        });
        let best = ranked.max_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap_or(Ordering::Equal));
        best.map(|(_, _, number)| number)
    }

    /// Whether it names the fault's scope and one of its labels while the fault is there.
    pub fn is_of_scope<F: KnownFault<M>>(&self, fault: &F) -> bool {
        fault.has_label(self.label) && self.share(fault) > 0.0 && fault.is_scope(self.cause)
    }

    /// The share of its members that a fault accounts for.
    fn share<F: KnownFault<M>>(&self, fault: &F) -> f64 {
        let (from_ms, to_ms) = fault.span_ms();
        let is_of_fault = |(pair, since, until): &&Since<M>| {
            let is_in_time = since.ms() < to_ms.saturating_add(AFTER_MS) && until.ms() >= from_ms - BEFORE_MS;
            is_in_time && fault.holds(pair)
        };
        self.members.iter().filter(is_of_fault).count() as f64 / self.members.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use netqoe_model::Dimension;

    use super::*;

    struct Fault {
        minutes: Range<i64>,
        pairs: Range<u32>,
        cause: Cause,
    }

    impl KnownFault<u32> for Fault {
        fn span_ms(&self) -> (i64, i64) {
            (self.minutes.start * 60_000, self.minutes.end * 60_000)
        }

        fn has_label(&self, label: Label) -> bool {
            label == Label::ServerBound
        }

        fn holds(&self, pair: &u32) -> bool {
            self.pairs.contains(pair)
        }

        fn is_scope(&self, cause: &Cause) -> bool {
            *cause == self.cause
        }
    }

    fn target(name: &str) -> Cause {
        Cause { dimension: Dimension::Target, value: vec![Arc::from(name)] }
    }

    fn fault(minutes: Range<i64>, pairs: Range<u32>, name: &str) -> Fault {
        Fault { minutes, pairs, cause: target(name) }
    }

    /// The fault that an incident of these pairs is of, which had the label in minutes 100 to 110.
    fn found(label: Label, cause: &Cause, pairs: Range<u32>, faults: &[Fault]) -> Option<usize> {
        let minute = |minute: i64| WindowStart::from_ms(minute * 60_000);
        let members: Vec<_> = pairs.map(|pair| (pair, minute(100), minute(110))).collect();
        Finding { label, cause, members: &members }.fault(faults)
    }

    #[test]
    fn a_fault_accounts_for_half_of_the_members() {
        let faults = [fault(100..110, 0..10, "a")];
        let wide = target("wide");
        assert_eq!(found(Label::ServerBound, &wide, 0..20, &faults), Some(0));
        assert_eq!(found(Label::ServerBound, &wide, 0..21, &faults), None);
        assert_eq!(found(Label::DnsBound, &wide, 0..10, &faults), None, "another label");
    }

    #[test]
    fn the_scope_goes_before_the_share() {
        let faults = [fault(100..110, 0..3, "a"), fault(100..110, 0..10, "b")];
        assert_eq!(found(Label::ServerBound, &target("a"), 0..10, &faults), Some(0));
        assert_eq!(found(Label::ServerBound, &target("b"), 0..10, &faults), Some(1));
        assert_eq!(found(Label::ServerBound, &target("c"), 0..10, &faults), Some(1));
    }

    #[test]
    fn a_fault_is_seen_shortly_before_and_after() {
        for (minutes, is_seen) in [(80..90, false), (80..91, true), (111..120, true), (112..120, false)] {
            let faults = [fault(minutes.clone(), 0..10, "a")];
            assert_eq!(found(Label::ServerBound, &target("a"), 0..10, &faults), is_seen.then_some(0), "{minutes:?}");
        }
    }
}
