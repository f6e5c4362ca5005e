//! The samples of a window: exact while they are few, sketched when they are many.

use hdrhistogram::Histogram;
use netqoe_model::{Metric, Percentiles};

use super::few::make_room_for_one;
use crate::event_batch::NO_SAMPLE;

/// Significant decimal digits of a sketch: percentiles within 0.1 % of the exact ones.
const SKETCH_DIGITS: u8 = 3;

/// Samples of all metrics of one window.
#[derive(Clone, Debug)]
pub enum SampleSet {
    /// Every sample, one entry an event.
    Exact(Vec<[u64; 5]>),
    /// By metric. Grows with the range of the values (at most to 10¹⁵, which an event's rules allow), never with their
    /// number.
    Sketched(Box<[Histogram<u32>; 5]>),
}

impl Default for SampleSet {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl SampleSet {
    /// Adds the samples of one event; metrics without one hold [`NO_SAMPLE`]. From the event after `exact_samples` on
    /// the set is a sketch.
    pub fn insert(&mut self, event: &[u64; 5], exact_samples: usize) {
        match self {
            Self::Exact(events) if events.len() < exact_samples => {
                make_room_for_one(events);
                events.push(*event);
            }
            Self::Exact(events) => {
                let mut sketch = Box::new(std::array::from_fn(|_| empty_sketch()));
                events.iter().chain([event]).for_each(|event| record(&mut sketch, event));
                *self = Self::Sketched(sketch);
            }
            Self::Sketched(sketch) => record(sketch, event),
        }
    }

    /// The percentiles of each metric that has samples, in the order of [`Metric::ALL`].
    pub fn percentiles(&self) -> [Option<Percentiles>; 5] {
        match self {
            Self::Exact(events) => {
                let mut sorted = Vec::with_capacity(events.len());
                Metric::ALL.map(|metric| {
                    sorted.clear();
                    sorted.extend(
                        events.iter().map(|event| event[metric as usize]).filter(|&sample| sample != NO_SAMPLE),
                    );
                    sorted.sort_unstable();
                    let at = |q| sorted.get(rank(q, sorted.len()).wrapping_sub(1)).copied();
                    Some(Percentiles { p50: at(0.50)?, p95: at(0.95)? })
                })
            }
            Self::Sketched(sketch) => Metric::ALL.map(|metric| {
                let histogram = &sketch[metric as usize];
                let samples = histogram.len() as usize;
                Some(Percentiles {
                    p50: at_rank(histogram, rank(0.50, samples))?,
                    p95: at_rank(histogram, rank(0.95, samples))?,
                })
            }),
        }
    }
}

/// Nearest rank, from 1: ⌈q·n⌉. Zero if there are no samples.
fn rank(q: f64, samples: usize) -> usize {
    (q * samples as f64).ceil() as usize
}

/// The middle of the bucket that holds the sample of this rank: at most half a bucket from it.
fn at_rank(histogram: &Histogram<u32>, rank: usize) -> Option<u64> {
    let mut below = 0;
    let bucket = histogram.iter_recorded().find(|bucket| {
        below += bucket.count_since_last_iteration();
        below >= rank as u64
    })?;
    Some(histogram.median_equivalent(bucket.value_iterated_to()))
}

fn empty_sketch() -> Histogram<u32> {
    // Refused only for more than 5 digits.
    #[allow(clippy::expect_used)]
    Histogram::new(SKETCH_DIGITS).expect("3 digits are possible")
}

fn record(sketch: &mut [Histogram<u32>; 5], event: &[u64; 5]) {
    for (histogram, &sample) in sketch.iter_mut().zip(event) {
        if sample != NO_SAMPLE {
            // It resizes itself, and a measurement is at most 10¹⁵.
            #[allow(clippy::expect_used)]
            histogram.record(sample).expect("a histogram of 64-bit values");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nearest_rank(mut samples: Vec<u64>, q: f64) -> u64 {
        samples.sort_unstable();
        samples[((q * samples.len() as f64).ceil() as usize).max(1) - 1]
    }

    fn set(samples: &[u64], exact_samples: usize) -> SampleSet {
        let mut set = SampleSet::default();
        samples.iter().for_each(|&sample| set.insert(&[sample, NO_SAMPLE, NO_SAMPLE, NO_SAMPLE, 7], exact_samples));
        set
    }

    #[test]
    fn a_metric_without_samples_has_no_percentiles() {
        for exact_samples in [0, 512] {
            let percentiles = set(&[5, 6], exact_samples).percentiles();
            assert_eq!(percentiles[1], None);
            assert_eq!(percentiles[4], Some(Percentiles { p50: 7, p95: 7 }));
        }
        assert_eq!(SampleSet::default().percentiles(), [None; 5]);
    }

    #[test]
    fn is_exact_up_to_the_limit_and_a_sketch_beyond() {
        assert!(matches!(set(&[1; 512], 512), SampleSet::Exact(_)));
        assert!(matches!(set(&[1; 513], 512), SampleSet::Sketched(_)));
    }

    proptest! {
        #[test]
        fn exact_is_nearest_rank(samples in prop::collection::vec(0..=1_000_000_000_000_000_u64, 1..200)) {
            let got = set(&samples, 512).percentiles()[0].unwrap();
            prop_assert_eq!(got.p50, nearest_rank(samples.clone(), 0.50));
            prop_assert_eq!(got.p95, nearest_rank(samples, 0.95));
        }

        #[test]
        fn a_sketch_is_within_a_thousandth(
            magnitudes in prop::collection::vec((0..50_u32, 0..=u64::MAX), 1..300),
        ) {
            let samples: Vec<_> = magnitudes.iter().map(|(bits, noise)| (noise >> (63 - bits)).min(1_000_000_000_000_000)).collect();
            let got = set(&samples, 0).percentiles()[0].unwrap();
            for (got, q) in [(got.p50, 0.50), (got.p95, 0.95)] {
                let exact = nearest_rank(samples.clone(), q);
                prop_assert!(got.abs_diff(exact) as f64 <= 0.001 * exact as f64, "{} for {}", got, exact);
            }
        }
    }
}
