//! Holding the feed of one partition still for a moment.
//!
//! The feed says that it stands by a mark, which goes through the dataflow as all else does. So what is committed with the mark is all
//! that was read. Marks have numbers that rise, which tell this hold from earlier ones.

use netqoe_dataflow::Mark;
use netqoe_model::Partition;
use parking_lot::Mutex;

/// Which feed is held, if any is.
#[derive(Default)]
pub(crate) struct Hold(Mutex<State>);

#[derive(Default)]
struct State {
    held: Held,
    /// The last mark.
    number: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Nothing,
    /// It is to stand from its next turn on.
    Asked(Partition),
    /// It stands.
    Stands(Partition),
    /// It is to go on with its next turn.
    Released(Partition),
}

/// What a feed does in a turn in which it does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldTurn {
    /// It gives a mark.
    Mark(Mark),
    /// It gives nothing.
    Stand,
}

impl Hold {
    /// What the feed of these partitions does in this turn; none where it reads.
    pub(crate) fn turn(&self, partitions: &[Partition]) -> Option<HeldTurn> {
        let mut state = self.0.lock();
        let number = state.number;
        match state.held {
            Held::Asked(partition) if partitions.contains(&partition) => {
                state.held = Held::Stands(partition);
                Some(HeldTurn::Mark(Mark { partition, number }))
            }
            Held::Released(partition) if partitions.contains(&partition) => {
                state.held = Held::Nothing;
                Some(HeldTurn::Mark(Mark { partition, number }))
            }
            Held::Stands(partition) if partitions.contains(&partition) => Some(HeldTurn::Stand),
            _ => None,
        }
    }

    /// Asks the feed of this partition to stand. No other is held. Returns the number of the mark that says that it does.
    pub(crate) fn ask(&self, partition: Partition) -> u64 {
        let mut state = self.0.lock();
        state.number += 1;
        state.held = Held::Asked(partition);
        state.number
    }

    /// Lets the feed go on that was asked to stand; with a mark, if it stands, so that it takes over what was corrected meanwhile.
    pub(crate) fn release(&self) {
        let mut state = self.0.lock();
        state.held = match state.held {
            Held::Stands(partition) => {
                state.number += 1;
                Held::Released(partition)
            }
            Held::Released(partition) => Held::Released(partition),
            Held::Asked(_) | Held::Nothing => Held::Nothing,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(number: u64) -> Option<HeldTurn> {
        Some(HeldTurn::Mark(Mark { partition: Partition(3), number }))
    }

    #[test]
    fn a_feed_marks_where_it_stands_and_where_it_goes_on() {
        let hold = Hold::default();
        let (ours, others) = ([Partition(1), Partition(3)], [Partition(2)]);
        assert_eq!(hold.turn(&ours), None);
        assert_eq!(hold.ask(Partition(3)), 1);
        assert_eq!(hold.turn(&others), None);
        assert_eq!(hold.turn(&ours), mark(1));
        assert_eq!(hold.turn(&ours), Some(HeldTurn::Stand));
        assert_eq!(hold.turn(&others), None);
        hold.release();
        assert_eq!(hold.turn(&ours), mark(2));
        assert_eq!(hold.turn(&ours), None);
        assert_eq!(hold.ask(Partition(3)), 3, "an earlier mark is not taken for this one");
    }

    #[test]
    fn a_feed_that_has_not_stood_yet_goes_on_as_if_nobody_had_asked() {
        let hold = Hold::default();
        hold.ask(Partition(1));
        hold.release();
        assert_eq!(hold.turn(&[Partition(1)]), None);
    }

    #[test]
    fn a_feed_that_is_asked_again_before_it_went_on_stands() {
        let hold = Hold::default();
        hold.ask(Partition(3));
        hold.turn(&[Partition(3)]);
        hold.release();
        hold.ask(Partition(3));
        assert_eq!(hold.turn(&[Partition(3)]), mark(3));
        assert_eq!(hold.turn(&[Partition(3)]), Some(HeldTurn::Stand));
    }
}
