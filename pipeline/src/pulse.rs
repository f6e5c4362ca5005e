//! Whether a pipeline moves, for whoever restarts a process that does not.
//!
//! A restart helps where a thread of this process hangs, and in no other case. So a pipeline that waits for its log or its store, and
//! tries them again and again, moves; and one that has nothing to do stands still rightly. A tick comes to each partition at least once a
//! minute, so it has something to do that often.
//!
//! Decision: D-102.

/// How a pipeline stands at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Records of the log that no commit reflects.
    pub(crate) waiting: u64,
    /// Whether the log works; where it does not, nothing can be read of it.
    pub(crate) can_go_on: bool,
    /// Counts what the pipeline has done or tried.
    pub(crate) moves: u64,
}

impl Pulse {
    /// Whether anything has moved since `before`, or need not have. What waits only now may have come a moment ago.
    pub fn has_moved_since(&self, before: &Self) -> bool {
        self.moves != before.moves || !(self.has_work() && before.has_work())
    }

    /// Records of the log that wait.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    fn has_work(&self) -> bool {
        self.waiting > 0 && self.can_go_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Pulse = Pulse { waiting: 0, can_go_on: true, moves: 7 };
    const BUSY: Pulse = Pulse { waiting: 3, ..IDLE };

    #[test]
    fn only_what_waits_all_the_time_while_nothing_moves_stands_still() {
        assert!(!BUSY.has_moved_since(&BUSY));
        assert!(!Pulse { waiting: 9, ..BUSY }.has_moved_since(&BUSY), "that more waits is no progress");
        assert!(Pulse { moves: 8, ..BUSY }.has_moved_since(&BUSY), "a part of it was read, tried or committed");
        assert!(IDLE.has_moved_since(&IDLE), "there is nothing to do");
        assert!(BUSY.has_moved_since(&IDLE), "it may have come a moment ago");
        let log_is_away = Pulse { can_go_on: false, ..BUSY };
        assert!(log_is_away.has_moved_since(&log_is_away), "no restart brings the log back");
    }
}
