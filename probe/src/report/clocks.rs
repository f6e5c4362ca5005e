//! Two clocks: this machine's, which dates events, and the endpoint's, which judges their dates. Pure: it is told what they show.
//!
//! Decision: D-070.

use std::fmt;
use std::time::Duration;

use netqoe_model::EventTime;

use crate::ClockState;

/// The least difference that is reported: a window is a minute long, and a `Date` in whole seconds, after a round trip, is not more exact.
const WORTH_A_WORD_MS: u64 = 60_000;

/// What both showed when an answer had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clocks {
    pub(super) ours: EventTime,
    /// By the answer's `Date`, if it has one.
    pub(super) endpoint: Option<EventTime>,
}

/// Which clock is probably wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    /// The endpoint's, which ours is ahead of by this much: ours is synchronized.
    Endpoint { ours_ahead_ms: i64 },
    /// Ours: it is not synchronized, or not exactly enough.
    Ours { ours_ahead_ms: i64 },
    /// Ours, as it was when an event was measured: now the two agree, and the event is dated so much later.
    OursBefore { event_ahead_ms: i64 },
    /// One of the two: the endpoint does not tell its time.
    Either,
}

impl Clocks {
    /// Whether a refusal of an event's time is a verdict on a clock. If both clocks agree and have passed that time, it is a final one on
    /// the event.
    pub(super) fn may_be_wrong_about(self, ts: EventTime) -> bool {
        self.endpoint.is_none_or(|endpoint| ts > endpoint) || self.differ_by_ms().is_some()
    }

    /// By how much ours is ahead, if that is worth reporting.
    fn differ_by_ms(self) -> Option<i64> {
        let ahead_ms = self.ours.ms().saturating_sub(self.endpoint?.ms());
        (ahead_ms.unsigned_abs() >= WORTH_A_WORD_MS).then_some(ahead_ms)
    }

    /// Which clock to suspect, if any. `refused` is the time of an event that was refused for it; `state` says whether our clock is synchronized.
    pub(super) fn suspect(self, refused: Option<EventTime>, state: Option<ClockState>) -> Option<Suspect> {
        if let Some(ours_ahead_ms) = self.differ_by_ms() {
            let max_error_ms = state.filter(|state| state.synchronized).and_then(|state| state.max_error_ms);
            let is_kept_right = max_error_ms.is_some_and(|max_error_ms| max_error_ms < ours_ahead_ms.abs() as f64);
            return Some(match is_kept_right {
                true => Suspect::Endpoint { ours_ahead_ms },
                false => Suspect::Ours { ours_ahead_ms },
            });
        }
        let refused = refused?;
        Some(match self.endpoint {
            Some(endpoint) => Suspect::OursBefore { event_ahead_ms: refused.ms().saturating_sub(endpoint.ms()) },
            None => Suspect::Either,
        })
    }
}

impl Suspect {
    /// Whether there is nothing new to say after the other: differences change a little with every answer.
    pub(super) fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Endpoint { ours_ahead_ms: a }, Self::Endpoint { ours_ahead_ms: b })
            | (Self::Ours { ours_ahead_ms: a }, Self::Ours { ours_ahead_ms: b }) => a.signum() == b.signum(),
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Endpoint { ours_ahead_ms } => write!(
                f,
                "the endpoint's clock is {} this machine's, which is kept right: probably the endpoint's is wrong; set it there",
                compared(-ours_ahead_ms)
            ),
            Self::Ours { ours_ahead_ms } => write!(
                f,
                "this machine's clock is {} the endpoint's, and nothing keeps it right: probably it is wrong; set it, or start NTP. Events keep \
                 the time that it showed when they were measured",
                compared(ours_ahead_ms)
            ),
            Self::OursBefore { event_ahead_ms } => write!(
                f,
                "the endpoint's clock and this machine's agree, and events are dated up to {} later: they were measured while this machine's clock \
                 was ahead, and keep that time",
                span(event_ahead_ms)
            ),
            Self::Either => f.write_str(
                "the endpoint says that events are dated wrong, and not what time it has: its clock or this machine's is wrong; compare them",
            ),
        }
    }
}

fn compared(ahead_ms: i64) -> String {
    format!("{} {}", span(ahead_ms), if ahead_ms > 0 { "ahead of" } else { "behind" })
}

/// In whole seconds.
fn span(ms: i64) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(ms.unsigned_abs() / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT_S: i64 = 1_700_000_000;

    fn at_s(seconds: i64) -> EventTime {
        EventTime::from_ms((ENDPOINT_S + seconds) * 1000)
    }

    /// The endpoint's clock shows second 0, ours what is given.
    fn clocks(ours_s: i64) -> Clocks {
        Clocks { ours: at_s(ours_s), endpoint: Some(at_s(0)) }
    }

    fn kept_within(max_error_ms: f64) -> Option<ClockState> {
        Some(ClockState { synchronized: true, max_error_ms: Some(max_error_ms) })
    }

    #[test]
    fn a_time_that_has_not_come_is_a_verdict_on_a_clock() {
        assert!(clocks(0).may_be_wrong_about(at_s(1)));
        assert!(!clocks(0).may_be_wrong_about(at_s(0)), "no clock makes it any better");
        assert!(!clocks(30).may_be_wrong_about(at_s(-86_400)));
        assert!(clocks(-600).may_be_wrong_about(at_s(-600)), "the endpoint's clock may be ahead, and call it too old");
        assert!(Clocks { endpoint: None, ..clocks(0) }.may_be_wrong_about(at_s(-1)));
    }

    #[test]
    fn who_is_not_kept_right_is_suspected() {
        let ours_ahead_ms = 600_000;
        assert_eq!(clocks(600).suspect(None, kept_within(20.0)), Some(Suspect::Endpoint { ours_ahead_ms }));
        let unkept = Some(ClockState { synchronized: false, max_error_ms: None });
        for state in [None, unkept, kept_within(600_000.0)] {
            assert_eq!(clocks(600).suspect(Some(at_s(600)), state), Some(Suspect::Ours { ours_ahead_ms }));
        }
        assert_eq!(clocks(59).suspect(None, unkept), None);
        assert_eq!(clocks(-60).suspect(None, unkept), Some(Suspect::Ours { ours_ahead_ms: -60_000 }));
    }

    #[test]
    fn an_event_may_be_older_than_its_clocks_correction() {
        let event_ahead_ms = 7_200_000;
        assert_eq!(clocks(1).suspect(Some(at_s(7200)), None), Some(Suspect::OursBefore { event_ahead_ms }));
        let untold = Clocks { endpoint: None, ..clocks(0) };
        assert_eq!(untold.suspect(Some(at_s(7200)), None), Some(Suspect::Either));
        assert_eq!(untold.suspect(None, None), None);
    }

    #[test]
    fn the_difference_is_told() {
        let says = |suspect: Suspect, part: &str| assert!(suspect.to_string().contains(part), "{suspect}");
        says(Suspect::Endpoint { ours_ahead_ms: 600_400 }, "the endpoint's clock is 10m behind this machine's");
        says(Suspect::Endpoint { ours_ahead_ms: -90_000 }, "1m 30s ahead of this machine's");
        says(Suspect::Ours { ours_ahead_ms: 86_400_000 }, "this machine's clock is 1day ahead of the endpoint's");
        says(Suspect::OursBefore { event_ahead_ms: 3_600_000 }, "up to 1h later");
    }

    #[test]
    fn what_is_alike_is_said_once() {
        let ours = |ours_ahead_ms| Suspect::Ours { ours_ahead_ms };
        assert!(ours(60_000).is_like(ours(61_000)) && !ours(60_000).is_like(ours(-60_000)));
        assert!(!ours(60_000).is_like(Suspect::Either));
    }
}
