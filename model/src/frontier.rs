//! How far all partitions of a log have come, together.
//!
//! Decision: D-086.

use std::num::NonZeroU16;

use crate::{LogTime, Rules, WindowStart};

/// How far partitions of a log have come: the one that is furthest behind, and the one that is furthest ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier {
    behind: LogTime,
    ahead: LogTime,
}

impl Frontier {
    /// Of these log times, one for each partition; `None` if there are none.
    pub fn of(log_times: impl IntoIterator<Item = LogTime>) -> Option<Self> {
        let each = log_times.into_iter().map(|log_time| Self { behind: log_time, ahead: log_time });
        each.reduce(|all, one| Self { behind: all.behind.min(one.behind), ahead: all.ahead.max(one.ahead) })
    }

    /// Of a whole log; `None` while fewer log times are known than the log has partitions.
    pub fn of_all(log_times: impl ExactSizeIterator<Item = LogTime>, partitions: NonZeroU16) -> Option<Self> {
        if log_times.len() < usize::from(partitions.get()) { None } else { Self::of(log_times) }
    }

    /// Windows that start before this are final in every partition, and never change.
    pub fn final_before(self, rules: &Rules) -> WindowStart {
        rules.first_open(self.behind)
    }

    /// The newest look that all partitions have taken: the last whole window's length that their log times have passed.
    pub fn last_look(self, rules: &Rules) -> WindowStart {
        WindowStart::from_ms((self.behind.ms() - 1).div_euclid(rules.window_ms) * rules.window_ms)
    }

    /// Windows that start before this are final in the partition that is furthest ahead.
    pub fn final_somewhere_before(self, rules: &Rules) -> WindowStart {
        rules.first_open(self.ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(log_times: &[i64]) -> Option<Frontier> {
        Frontier::of_all(log_times.iter().copied().map(LogTime::from_ms), NonZeroU16::new(3).unwrap())
    }

    #[test]
    fn all_partitions_must_be_known() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[1, 2]), None);
        assert!(of(&[1, 2, 3]).is_some());
    }

    #[test]
    fn a_look_is_taken_once_every_partition_has_passed_its_time() {
        let rules = Rules { window_ms: 60_000, ..Rules::default() };
        let at = |behind| of(&[behind, 900_000, 900_000]).unwrap().last_look(&rules).ms();
        assert_eq!([120_000, 120_001, 180_000, 180_001].map(at), [60_000, 120_000, 120_000, 180_000]);
    }

    #[test]
    fn the_last_partition_decides_what_is_final() {
        let rules = Rules { window_ms: 60_000, lateness_ms: 120_000, ..Rules::default() };
        // A window closes when the log has passed its end and the lateness, not when it has reached it.
        for (behind, final_before) in [(180_000, 0), (180_001, 60_000), (240_000, 60_000), (240_001, 120_000)] {
            let frontier = of(&[300_001, behind, 290_000]).unwrap();
            assert_eq!(frontier.final_before(&rules), WindowStart::from_ms(final_before), "{behind}");
            assert_eq!(frontier.final_somewhere_before(&rules), WindowStart::from_ms(180_000));
        }
    }
}
