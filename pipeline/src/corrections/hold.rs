//! Holding the feed of one partition still for a moment.
//!
//! The feed says that it stands by a mark, which goes through the dataflow as all else does. So what is committed with the mark is all
//! that was read.

use netqoe_model::Partition;
use parking_lot::Mutex;

/// Which feed is held, if any is. Clones of an `Arc` of it are the same.
#[derive(Default)]
pub(crate) struct Hold(Mutex<Held>);

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
    /// It gives a mark for this partition.
    Mark(Partition),
    /// It gives nothing.
    Stand,
}

impl Hold {
    /// What the feed of these partitions does in this turn; none where it reads.
    pub(crate) fn turn(&self, partitions: &[Partition]) -> Option<HeldTurn> {
        let mut held = self.0.lock();
        match *held {
            Held::Asked(partition) if partitions.contains(&partition) => {
                *held = Held::Stands(partition);
                Some(HeldTurn::Mark(partition))
            }
            Held::Released(partition) if partitions.contains(&partition) => {
                *held = Held::Nothing;
                Some(HeldTurn::Mark(partition))
            }
            Held::Stands(partition) if partitions.contains(&partition) => Some(HeldTurn::Stand),
            _ => None,
        }
    }

    /// Asks the feed of this partition to stand. No other is held.
    pub(crate) fn ask(&self, partition: Partition) {
        *self.0.lock() = Held::Asked(partition);
    }

    /// Lets the feed go on that was asked to stand; with a mark, if it stands, so that it takes over what was corrected meanwhile.
    pub(crate) fn release(&self) {
        let mut held = self.0.lock();
        *held = match *held {
            Held::Stands(partition) => Held::Released(partition),
            Held::Released(_) => return,
            Held::Asked(_) | Held::Nothing => Held::Nothing,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_marks_where_it_stands_and_where_it_goes_on() {
        let hold = Hold::default();
        let (ours, others) = ([Partition(1), Partition(3)], [Partition(2)]);
        assert_eq!(hold.turn(&ours), None);
        hold.ask(Partition(3));
        assert_eq!(hold.turn(&others), None);
        assert_eq!(hold.turn(&ours), Some(HeldTurn::Mark(Partition(3))));
        assert_eq!(hold.turn(&ours), Some(HeldTurn::Stand));
        assert_eq!(hold.turn(&others), None);
        hold.release();
        assert_eq!(hold.turn(&ours), Some(HeldTurn::Mark(Partition(3))));
        assert_eq!(hold.turn(&ours), None);
    }

    #[test]
    fn a_feed_that_has_not_stood_yet_goes_on_as_if_nobody_had_asked() {
        let hold = Hold::default();
        hold.ask(Partition(1));
        hold.release();
        assert_eq!(hold.turn(&[Partition(1)]), None);
    }
}
