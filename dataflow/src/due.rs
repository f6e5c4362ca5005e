//! How fast a worker goes on with what becomes due of all pairs at once, while others wait for what it finds.
//!
//! Decision: D-099.

use std::cell::Cell;

/// How many pairs may be worked off in the next turn. Never decides what a row finally says.
pub type Pace = Box<dyn Fn() -> usize + Send>;

/// Epochs in flight from which on nothing is added to the work of the next one: new events would wait for that too.
const MAX_EPOCHS_BEFORE: usize = 1;

/// What a worker tells its windows of their pace, and what these tell it of their work.
pub(crate) struct Due {
    pace: Option<Pace>,
    /// The feed has ended: what is left is done at once.
    is_hurried: Cell<bool>,
    portion: Cell<usize>,
    /// A turn was asked for that works the portion off, and is still to come.
    is_promised: Cell<bool>,
    left: Cell<usize>,
}

impl Due {
    pub(crate) fn at(pace: Option<Pace>) -> Self {
        let (is_hurried, is_promised) = (Cell::new(false), Cell::new(false));
        Self { pace, is_hurried, portion: Cell::new(0), is_promised, left: Cell::new(0) }
    }

    /// Asks how much may be done in the next turn, with so many epochs in flight.
    pub(crate) fn allow(&self, epochs_in_flight: usize) {
        if self.is_promised.get() {
            return;
        }
        let allowed = self.pace.as_ref().filter(|_| epochs_in_flight <= MAX_EPOCHS_BEFORE);
        self.portion.set(allowed.map_or(0, |pace| pace()));
    }

    /// How many pairs may be worked off in this turn; `None`, where all that is due is.
    pub(crate) fn take_portion(&self) -> Option<usize> {
        self.is_promised.set(false);
        self.pace.as_ref().filter(|_| !self.is_hurried.get()).map(|_| self.portion.take())
    }

    /// So many pairs are left for later turns.
    pub(crate) fn leave(&self, pairs: usize) {
        self.left.set(pairs);
    }

    pub(crate) fn is_left(&self) -> bool {
        self.left.get() > 0
    }

    /// Whether there is something left, and some of it may be done, for which a turn is asked for then. Where epochs take their time, the
    /// turn comes while more of them are in flight than would allow it.
    pub(crate) fn goes_on(&self) -> bool {
        let goes_on = self.is_left() && self.portion.get() > 0 && !self.is_promised.get();
        self.is_promised.set(self.is_promised.get() || goes_on);
        goes_on
    }

    /// From now on all that is due is done in one turn. Whether there may be something left for it.
    pub(crate) fn hurry(&self) -> bool {
        self.is_hurried.set(true);
        self.pace.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_is_asked_for_has_its_portion_however_much_is_in_flight_by_then() {
        let due = Due::at(Some(Box::new(|| 1_000)));
        due.leave(2);
        due.allow(1);
        assert!(due.goes_on());
        due.allow(2);
        assert!(!due.goes_on(), "one turn is asked for at a time");
        assert_eq!(due.take_portion(), Some(1_000));
        due.allow(2);
        assert!(!due.goes_on());
        assert_eq!(due.take_portion(), Some(0));
    }
}
