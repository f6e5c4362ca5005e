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
    left: Cell<usize>,
}

impl Due {
    pub(crate) fn at(pace: Option<Pace>) -> Self {
        Self { pace, is_hurried: Cell::new(false), portion: Cell::new(0), left: Cell::new(0) }
    }

    /// Asks how much may be done in the next turn, with so many epochs in flight.
    pub(crate) fn allow(&self, epochs_in_flight: usize) {
        let allowed = self.pace.as_ref().filter(|_| epochs_in_flight <= MAX_EPOCHS_BEFORE);
        self.portion.set(allowed.map_or(0, |pace| pace()));
    }

    /// How many pairs may be worked off in this turn; `None`, where all that is due is.
    pub(crate) fn take_portion(&self) -> Option<usize> {
        self.pace.as_ref().filter(|_| !self.is_hurried.get()).map(|_| self.portion.take())
    }

    /// So many pairs are left for later turns.
    pub(crate) fn leave(&self, pairs: usize) {
        self.left.set(pairs);
    }

    pub(crate) fn is_left(&self) -> bool {
        self.left.get() > 0
    }

    /// Whether there is something left, and some of it may be done.
    pub(crate) fn may_go_on(&self) -> bool {
        self.is_left() && self.portion.get() > 0
    }

    /// From now on all that is due is done in one turn. Whether there may be something left for it.
    pub(crate) fn hurry(&self) -> bool {
        self.is_hurried.set(true);
        self.pace.is_some()
    }
}
