//! How long something has been so without a break.

use std::time::{Duration, Instant};

/// Something that is so, or is not.
#[derive(Debug, Default)]
pub(super) struct Lasting {
    since: Option<Instant>,
}

impl Lasting {
    /// It is so at `now`. Returns how long it has been.
    pub(super) fn is_so(&mut self, now: Instant) -> Duration {
        now.duration_since(*self.since.get_or_insert(now))
    }

    /// It is not so any more.
    pub(super) fn ends(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_begins_the_time_anew() {
        let start = Instant::now();
        let mut lasting = Lasting::default();
        let mut after = |seconds: u64| lasting.is_so(start + Duration::from_secs(seconds)).as_secs();
        assert_eq!([after(0), after(20), after(29)], [0, 20, 29]);
        lasting.ends();
        let mut after = |seconds: u64| lasting.is_so(start + Duration::from_secs(seconds)).as_secs();
        assert_eq!([after(30), after(31)], [0, 1]);
    }
}
