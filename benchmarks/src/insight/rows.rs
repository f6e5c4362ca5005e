//! The rows that the pipeline would make of a pair's measurements.

use std::iter::Peekable;

use netqoe_dataflow::window::{NO_SAMPLE, SampleSet};
use netqoe_model::{LogTime, Rules, WindowRow, WindowStart};
use netqoe_simulator::simulation::Measurement;

/// Rows of one pair, window by window.
pub(super) struct Rows<'a, M: Iterator<Item = Measurement>> {
    measurements: Peekable<M>,
    rules: &'a Rules,
}

impl<'a, M: Iterator<Item = Measurement>> Rows<'a, M> {
    /// Of measurements in the order in which they were made.
    pub(super) fn new(measurements: M, rules: &'a Rules) -> Self {
        Self { measurements: measurements.peekable(), rules }
    }

    /// The final row of the window that starts here, which comes after those that were asked for before. None where
    /// nothing was measured, or nothing in time.
    pub(super) fn row(&mut self, start: WindowStart) -> Option<WindowRow> {
        let (end_ms, closes_after) = (start.ms() + self.rules.window_ms, self.rules.closes_after(start));
        let mut measured = Vec::new();
        while let Some(measurement) = self.measurements.next_if(|measurement| measurement.ts_ms < end_ms) {
            measured.push(measurement);
        }
        row_of(start, &measured, closes_after, self.rules)
    }
}

/// The row of a window of which the log has these measurements, up to a time.
pub(super) fn row_of(start: WindowStart, measured: &[Measurement], as_of: LogTime, rules: &Rules) -> Option<WindowRow> {
    let (mut count_success, mut errors, mut samples) = (0, [0; 5], SampleSet::default());
    for measurement in measured.iter().filter(|measurement| LogTime::from_ms(measurement.recv_ms) <= as_of) {
        match measurement.error_stage {
            Some(stage) => errors[stage as usize] += 1,
            None => {
                count_success += 1;
                let event = measurement.samples.map(|sample| sample.unwrap_or(NO_SAMPLE));
                samples.insert(&event, rules.exact_samples);
            }
        }
    }
    let is_final = as_of >= rules.closes_after(start);
    let percentiles = samples.percentiles();
    let row = WindowRow { start, is_final, as_of, count_success, errors, percentiles, network: None, tags: None };
    (row.count_total() > 0).then_some(row)
}

#[cfg(test)]
mod tests {
    use netqoe_model::{ErrorStage, Percentiles};

    use super::*;

    fn measured(ts_ms: i64, delay_ms: i64, ttfb_us: u64) -> Measurement {
        let samples = [None, None, None, Some(ttfb_us), None];
        Measurement { ts_ms, recv_ms: ts_ms + delay_ms, error_stage: None, samples }
    }

    #[test]
    fn a_row_has_what_was_measured_in_its_minute_and_came_in_time() {
        let failed = Measurement { error_stage: Some(ErrorStage::Tls), samples: [None; 5], ..measured(60_000, 100, 0) };
        let measurements = vec![
            measured(10, 0, 7),
            measured(59_999, 9, 5),
            failed,
            measured(60_001, 9_000_000, 1),
            measured(190_000, 0, 2),
        ];
        let rules = Rules::default();
        let mut rows = Rows::new(measurements.into_iter(), &rules);
        let first = rows.row(WindowStart::from_ms(0)).unwrap();
        assert_eq!((first.count_success, first.count_error()), (2, 0));
        assert_eq!(first.percentiles[3], Some(Percentiles { p50: 5, p95: 7 }));
        assert_eq!(first.percentiles[0], None);
        let second = rows.row(WindowStart::from_ms(60_000)).unwrap();
        assert_eq!((second.count_success, second.errors), (0, [0, 0, 1, 0, 0]), "what came hours late does not count");
        assert_eq!(rows.row(WindowStart::from_ms(120_000)), None, "nothing was measured");
        assert_eq!(rows.row(WindowStart::from_ms(180_000)).unwrap().count_success, 1);
    }
}
