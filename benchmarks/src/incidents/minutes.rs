//! What the metrics show of each minute.

use std::fmt;
use std::time::Duration;

use crate::scrape::{Buckets, Scrape};

/// How often metrics are read: more often would cost the measured process more than it tells.
pub(super) const POLL: Duration = Duration::from_millis(200);
/// A look is taken when a minute has passed. What follows from it is done within this time, or is late.
const LOOK_MS: i64 = 5_000;
const MINUTE_MS: i64 = 60_000;

const INCIDENTS_DELAY_SUM: &str = "telemetry_incidents_delay_seconds_sum";
const INCIDENTS_DELAY_COUNT: &str = "telemetry_incidents_delay_seconds_count";
const PROCESSING_DELAY: &str = "telemetry_processing_delay_seconds";
const INCIDENTS_OPEN: &str = "telemetry_incidents_open";
const DEGRADED: &str = "telemetry_pairs{state=\"degraded\"}";

pub(super) const HEADING: &str = "| minute | degraded pairs | open incidents | look to incidents, ms | delay of events in the 5 s \
    after the look, p50 and p99 ms | in the other 55 s |\n| --- | --- | --- | --- | --- | --- |";

/// The minute that passes.
pub(super) struct Minutes {
    number: u32,
    minute: i64,
    began: Scrape,
    /// As it was when the look was over.
    looked: Option<Scrape>,
    last: Scrape,
    longest_ms: Option<f64>,
}

/// One line of the table.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    number: u32,
    degraded: f64,
    open: f64,
    /// The longest, of a minute with several commits.
    incidents_ms: Option<f64>,
    after_the_look_ms: [Option<f64>; 2],
    otherwise_ms: [Option<f64>; 2],
}

impl Minutes {
    pub(super) fn from(now_ms: i64, now: Scrape) -> Self {
        let minute = now_ms.div_euclid(MINUTE_MS);
        Self { number: 1, minute, began: now.clone(), looked: None, last: now, longest_ms: None }
    }

    /// Takes in what the metrics show now. Returns a line where a minute is over.
    pub(super) fn take(&mut self, now_ms: i64, now: Scrape) -> Option<Line> {
        let commits = now.sum(INCIDENTS_DELAY_COUNT) - self.last.sum(INCIDENTS_DELAY_COUNT);
        let line = (now_ms.div_euclid(MINUTE_MS) > self.minute).then(|| self.end(now_ms));
        if commits > 0.0 {
            let seconds = now.sum(INCIDENTS_DELAY_SUM) - self.last.sum(INCIDENTS_DELAY_SUM);
            let mean_ms = seconds * 1000.0 / commits;
            self.longest_ms = Some(self.longest_ms.map_or(mean_ms, |longest| longest.max(mean_ms)));
        }
        if self.looked.is_none() && now_ms.rem_euclid(MINUTE_MS) >= LOOK_MS {
            self.looked = Some(now.clone());
        }
        self.last = now;
        line
    }

    fn end(&mut self, now_ms: i64) -> Line {
        let delays = |from: &Scrape, to: &Scrape| {
            let delays: Buckets = to.buckets(PROCESSING_DELAY).since(&from.buckets(PROCESSING_DELAY));
            [0.5, 0.99].map(|share| delays.quantile(share).map(|seconds| seconds * 1000.0))
        };
        let looked = self.looked.take().unwrap_or_else(|| self.last.clone());
        let line = Line {
            number: self.number,
            degraded: self.last.sample(DEGRADED),
            open: self.last.sum(INCIDENTS_OPEN),
            incidents_ms: self.longest_ms.take(),
            after_the_look_ms: delays(&self.began, &looked),
            otherwise_ms: delays(&looked, &self.last),
        };
        self.began = self.last.clone();
        self.minute = now_ms.div_euclid(MINUTE_MS);
        self.number += 1;
        line
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = |ms: &Option<f64>| ms.map_or("–".to_owned(), |ms| format!("{ms:.0}"));
        let both = |ms: &[Option<f64>; 2]| ms.iter().map(figure).collect::<Vec<_>>().join(" and ");
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} |",
            self.number,
            self.degraded,
            self.open,
            figure(&self.incidents_ms),
            both(&self.after_the_look_ms),
            both(&self.otherwise_ms)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many events of up to 100 ms and of up to 500 ms, and incidents that took so long in all.
    fn scrape(short: u32, long: u32, commits: u32, seconds: f64) -> Scrape {
        let (name, all) = (PROCESSING_DELAY, short + long);
        Scrape::of(&format!(
            "{name}_bucket{{le=\"0.1\"}} {short}\n{name}_bucket{{le=\"0.5\"}} {all}\n{DEGRADED} 7\n\
             {INCIDENTS_DELAY_COUNT} {commits}\n{INCIDENTS_DELAY_SUM} {seconds}\n"
        ))
    }

    #[test]
    fn the_time_after_a_look_is_told_from_the_rest() {
        let mut minutes = Minutes::from(0, scrape(0, 0, 0, 0.0));
        assert_eq!(minutes.take(1_000, scrape(0, 10, 1, 0.4)), None);
        assert_eq!(minutes.take(5_000, scrape(0, 10, 1, 0.4)), None);
        assert_eq!(minutes.take(30_000, scrape(10, 10, 2, 0.5)), None);
        let line = minutes.take(60_100, scrape(10, 20, 3, 1.5)).unwrap();
        assert_eq!(line.to_string(), "| 1 | 7 | 0 | 400 | 300 and 496 | 50 and 99 |");
        let next = minutes.take(120_000, scrape(10, 20, 3, 1.5)).unwrap();
        assert_eq!(next.to_string(), "| 2 | 7 | 0 | 1000 | 300 and 496 | – and – |");
    }
}
