//! How much is kept, and what is dropped if there is more. Pure: it is told what there is.

use std::time::Duration;

use netqoe_model::EventTime;

/// Bounds of a spool. Where one is passed, the oldest events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolBounds {
    /// Bytes of all events that wait. The file takes up to half more.
    pub max_bytes: u64,
    /// How long an event may wait.
    pub max_age: Duration,
}

impl Default for SpoolBounds {
    /// 64 MB, and a day.
    fn default() -> Self {
        Self { max_bytes: 64_000_000, max_age: Duration::from_hours(24) }
    }
}

/// What the bounds look at of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) since: EventTime,
    pub(super) bytes: u64,
}

/// What has to go: everything through an id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Excess {
    /// 0 if nothing goes.
    pub(super) through_id: i64,
    pub(super) events: u64,
    /// Those of them that have waited too long. The others go to make room.
    pub(super) too_old: u64,
    pub(super) bytes: u64,
}

impl SpoolBounds {
    /// Whether a spool of `bytes`, whose oldest event has waited since `oldest`, is within bounds.
    pub(super) fn allow(&self, oldest: Option<EventTime>, bytes: u64, now: EventTime) -> bool {
        bytes <= self.max_bytes && oldest.is_none_or(|since| !self.is_too_old(since, now))
    }

    fn is_too_old(&self, since: EventTime, now: EventTime) -> bool {
        let max_age_ms = i64::try_from(self.max_age.as_millis()).unwrap_or(i64::MAX);
        now.ms().saturating_sub(since.ms()) > max_age_ms
    }

    /// Which of the events, `bytes` together, have to go. They are looked at from the oldest on, and no
    /// further than to the first that may stay.
    pub(super) fn excess<E>(
        &self,
        oldest_first: impl IntoIterator<Item = Result<Waiting, E>>,
        bytes: u64,
        now: EventTime,
    ) -> Result<Excess, E> {
        let mut excess = Excess::default();
        for waiting in oldest_first {
            let waiting = waiting?;
            let is_too_old = self.is_too_old(waiting.since, now);
            let is_too_much = bytes.saturating_sub(excess.bytes) > self.max_bytes;
            if !is_too_old && !is_too_much {
                break;
            }
            excess.through_id = waiting.id;
            excess.events += 1;
            excess.too_old += u64::from(is_too_old);
            excess.bytes += waiting.bytes;
        }
        Ok(excess)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Ten events of 10 bytes, one a second, the first at second 1.
    fn excess(max_bytes: u64, max_age_s: u64, now_s: i64) -> Excess {
        let bounds = SpoolBounds { max_bytes, max_age: Duration::from_secs(max_age_s) };
        let at_s = |seconds: i64| EventTime::from_ms(seconds * 1000);
        let events = (1..=10).map(|id| Ok::<_, Infallible>(Waiting { id, since: at_s(id), bytes: 10 }));
        let excess = bounds.excess(events, 100, at_s(now_s)).unwrap();
        assert_eq!(bounds.allow(Some(at_s(1)), 100, at_s(now_s)), excess == Excess::default());
        excess
    }

    fn through(id: i64, too_old: u64) -> Excess {
        Excess { through_id: id, events: id.unsigned_abs(), too_old, bytes: id.unsigned_abs() * 10 }
    }

    #[test]
    fn nothing_goes_within_the_bounds() {
        assert_eq!(excess(100, 9, 10), Excess::default());
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        assert_eq!(excess(99, 60, 10), through(1, 0));
        assert_eq!(excess(41, 60, 10), through(6, 0));
        assert_eq!(excess(0, 60, 10), through(10, 0));
    }

    #[test]
    fn what_is_too_old_goes() {
        assert_eq!(excess(100, 9, 11), through(1, 1));
        assert_eq!(excess(100, 5, 10), through(4, 4));
        assert_eq!(excess(95, 5, 10), through(4, 4), "both bounds are held, not added up");
        assert_eq!(excess(35, 5, 10), through(7, 4));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_old() {
        assert_eq!(excess(100, 9, -1_000_000), Excess::default());
    }
}
