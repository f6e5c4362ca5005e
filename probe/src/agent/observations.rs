//! What an agent has found so far: each target's latest measurement, and counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use netqoe_model::{ErrorStage, EventTime};

use crate::{Measurement, Target};

/// The observations of all targets that are measured. Clones show the same.
///
/// A target is in it as long as somebody measures it, and takes the memory of one measurement.
#[derive(Clone, Debug, Default)]
pub struct Observations(Arc<Mutex<BTreeMap<String, Weak<Mutex<Observed>>>>>);

/// The observations of one target, while it is measured.
#[derive(Debug)]
pub(crate) struct Observing(Arc<Mutex<Observed>>);

/// What is known of one target.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// The latest measurement that came to an end, and when it began.
    pub(crate) latest: Option<(Measurement, EventTime)>,
    /// All of them, failed ones included.
    pub(crate) measurements: u64,
    /// Those that failed, in the order of [`ErrorStage::ALL`].
    pub(crate) failures: [u64; ErrorStage::ALL.len()],
    /// Turns that were passed over.
    pub(crate) skipped_turns: u64,
}

impl Observations {
    /// Begins to count for `target`.
    pub(crate) fn of(&self, target: &Target) -> Observing {
        let observed = Arc::<Mutex<Observed>>::default();
        lock(&self.0).insert(target.as_str().to_owned(), Arc::downgrade(&observed));
        Observing(observed)
    }

    /// Shows every target's observations, in the order of their URLs.
    pub(crate) fn look(&self, mut show: impl FnMut(&str, &Observed)) {
        let mut targets = lock(&self.0);
        targets.retain(|_, observed| observed.strong_count() > 0);
        for (target, observed) in targets.iter() {
            if let Some(observed) = observed.upgrade() {
                show(target, &lock(&observed));
            }
        }
    }
}

impl Observing {
    /// Keeps the latest measurement, and counts it.
    pub(crate) fn measured(&self, measurement: Measurement, ts: EventTime) {
        let mut observed = lock(&self.0);
        observed.measurements += 1;
        if let Some(failure) = &measurement.failure {
            observed.failures[failure.stage() as usize] += 1;
        }
        observed.latest = Some((measurement, ts));
    }

    pub(crate) fn skipped(&self, turns: u64) {
        lock(&self.0).skipped_turns += turns;
    }
}

/// Nothing panics while it holds one of these locks; if it did, what is there would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_measures_a_target_again_is_not_forgotten_with_who_measured_it_before() {
        let (observations, target) = (Observations::default(), "http://a.test".parse().unwrap());
        let before = observations.of(&target);
        before.skipped(3);
        let now = observations.of(&target);
        now.skipped(1);
        drop(before);
        let mut seen = Vec::new();
        observations.look(|target, observed| seen.push((target.to_owned(), observed.skipped_turns)));
        assert_eq!(seen, [("http://a.test/".to_owned(), 1)]);
        drop(now);
        observations.look(|target, _| panic!("{target} is no longer measured"));
    }
}
