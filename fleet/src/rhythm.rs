//! How far apart a pair's measured windows usually are.

use serde::{Deserialize, Serialize};

/// Gaps that are remembered: enough that two outages among them do not decide, few enough that a new interval of
/// measuring is learned in minutes.
const REMEMBERED: usize = 8;
/// A rhythm is known from so many gaps on.
const KNOWN_FROM: usize = 2;
/// How long a pair may be silent whose rhythm is not known, in windows: most probes measure every five minutes or more often.
const UNKNOWN_WINDOWS: u16 = 5;

/// The newest gaps between windows of one pair that were measured, in windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rhythm {
    gaps: Vec<u16>,
}

impl Rhythm {
    /// Takes in a gap.
    pub(crate) fn push(&mut self, windows: i64) {
        if self.gaps.len() == REMEMBERED {
            self.gaps.remove(0);
        }
        self.gaps.push(u16::try_from(windows).unwrap_or(u16::MAX));
    }

    /// Whether there are enough gaps to know it.
    pub(crate) fn is_known(&self) -> bool {
        self.gaps.len() >= KNOWN_FROM
    }

    /// The upper quartile of the gaps. A median would call a pair silent that often leaves out some windows, and the
    /// greatest gap would be that of the last outage.
    pub(crate) fn windows(&self) -> i64 {
        if !self.is_known() {
            return UNKNOWN_WINDOWS.into();
        }
        // Asked at each sighting: in place, without memory of its own.
        let mut sorted = [0; REMEMBERED];
        let sorted = &mut sorted[..self.gaps.len().min(REMEMBERED)];
        sorted.copy_from_slice(&self.gaps[..sorted.len()]);
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * 3 / 4].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(gaps: &[i64]) -> i64 {
        let mut rhythm = Rhythm::default();
        gaps.iter().for_each(|gap| rhythm.push(*gap));
        rhythm.windows()
    }

    #[test]
    fn outages_do_not_change_the_rhythm_and_a_new_interval_does() {
        assert_eq!(windows(&[1, 1, 20, 1, 1, 30, 1, 1]), 1);
        assert_eq!(windows(&[5, 5, 5, 5]), 5);
        assert_eq!(windows(&[1, 1, 1, 1, 5, 5, 5]), 5);
        assert_eq!(windows(&[1, 4, 1, 7, 1, 4, 9, 1]), 4, "an irregular pair may be silent for long");
        assert_eq!(windows(&[1]), i64::from(UNKNOWN_WINDOWS));
    }
}
