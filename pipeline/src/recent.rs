//! Rates and delays over the last moments, in bounded memory. Pure: the time is passed in.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;
use netqoe_query::Delays;

/// Seconds that a rate is taken over.
const RATE_SECONDS: u64 = 10;
/// Seconds whose delays are kept together.
const SPAN_SECONDS: u64 = 10;
/// Spans that make a minute.
const SPANS: u64 = 6;
/// Delays are kept within 1 %.
const DIGITS: u8 = 2;
/// The longest delay that is told from longer ones: an hour.
const MAX_DELAY_MS: u64 = 3_600_000;

/// What was committed lately.
#[derive(Default)]
pub(crate) struct Recent {
    /// By second, ascending: events and rows.
    seconds: VecDeque<(u64, [u64; 2])>,
    /// By span, ascending.
    spans: VecDeque<(u64, Histogram<u32>)>,
}

impl Recent {
    /// Takes in a commit at `now`, counted from any fixed moment.
    pub(crate) fn add(&mut self, now: Duration, events: u64, rows: u64, delays_ms: impl Iterator<Item = u64>) {
        let second = now.as_secs();
        self.forget(second);
        match self.seconds.back_mut().filter(|(last, _)| *last >= second) {
            Some((_, sums)) => *sums = [sums[0] + events, sums[1] + rows],
            None => self.seconds.push_back((second, [events, rows])),
        }
        let span = second / SPAN_SECONDS;
        if self.spans.back().is_none_or(|(last, _)| *last < span) {
            self.spans.extend(histogram().map(|histogram| (span, histogram)));
        }
        if let Some((_, histogram)) = self.spans.back_mut() {
            delays_ms.for_each(|delay_ms| histogram.saturating_record(delay_ms));
        }
    }

    /// Events and rows a second, over the last whole seconds.
    pub(crate) fn per_second(&self, now: Duration) -> [f64; 2] {
        let (end, seconds) = (now.as_secs(), now.as_secs().clamp(1, RATE_SECONDS));
        let within = self.seconds.iter().filter(|(second, _)| (end - seconds.min(end)..end).contains(second));
        let sums = within.fold([0, 0], |sums, (_, more)| [sums[0] + more[0], sums[1] + more[1]]);
        sums.map(|sum| sum as f64 / seconds as f64)
    }

    /// Of the last minute, to the span; none where nothing was committed in it.
    pub(crate) fn delays(&self, now: Duration) -> Option<Delays> {
        let span = now.as_secs() / SPAN_SECONDS;
        let mut all = histogram()?;
        for (_, histogram) in self.spans.iter().filter(|(at, _)| at + SPANS > span) {
            // They have the same bounds.
            all.add(histogram).ok()?;
        }
        let at = |quantile| all.value_at_quantile(quantile);
        (!all.is_empty()).then(|| Delays { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) })
    }

    fn forget(&mut self, second: u64) {
        while self.seconds.front().is_some_and(|(first, _)| first + RATE_SECONDS < second) {
            self.seconds.pop_front();
        }
        while self.spans.front().is_some_and(|(first, _)| first + SPANS <= second / SPAN_SECONDS) {
            self.spans.pop_front();
        }
    }
}

fn histogram() -> Option<Histogram<u32>> {
    // The bounds are fixed and valid: see the test.
    Histogram::new_with_bounds(1, MAX_DELAY_MS, DIGITS).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn rates_are_of_the_last_ten_whole_seconds() {
        let mut recent = Recent::default();
        assert_eq!(recent.per_second(at(0)), [0.0, 0.0]);
        recent.add(at(500), 6, 2, std::iter::empty());
        recent.add(at(700), 4, 1, std::iter::empty());
        assert_eq!(recent.per_second(at(900)), [0.0, 0.0], "this second is not over");
        assert_eq!(recent.per_second(at(1_000)), [10.0, 3.0]);
        assert_eq!(recent.per_second(at(2_999)), [5.0, 1.5]);
        assert_eq!(recent.per_second(at(10_000)), [1.0, 0.3]);
        assert_eq!(recent.per_second(at(11_000)), [0.0, 0.0]);
    }

    #[test]
    fn delays_are_of_the_last_minute() {
        let mut recent = Recent::default();
        assert_eq!(recent.delays(at(0)), None);
        recent.add(at(0), 0, 0, 1..=100);
        recent.add(at(59_000), 0, 0, [0, 10_000_000].into_iter());
        let Delays { p50_ms, p95_ms, p99_ms } = recent.delays(at(59_999)).unwrap();
        assert_eq!((p50_ms, p95_ms), (50, 96));
        assert!((99..=101).contains(&p99_ms), "{p99_ms}");
        let later = recent.delays(at(60_000)).unwrap();
        assert_eq!(later.p50_ms, 0);
        assert!(later.p99_ms >= MAX_DELAY_MS);
        assert_eq!(recent.delays(at(110_000)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = Recent::default();
        for ms in (0..10 * 3_600_000).step_by(300) {
            recent.add(at(ms), 1, 1, [ms].into_iter());
        }
        assert!(recent.seconds.len() as u64 <= RATE_SECONDS + 1);
        assert!(recent.spans.len() as u64 <= SPANS);
    }
}
