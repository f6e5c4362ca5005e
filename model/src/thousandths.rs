//! Between measurements as people write them, in milliseconds or Mbit/s, and as netqoe counts them, in whole
//! microseconds or kbit/s.
//!
//! Stores and answers hold the former, samples and windows the latter. A value that was a whole number of thousandths
//! comes back as the same number, so that nothing changes on its way through a store.

/// Whole thousandths, rounded half up. Exact for what is a whole number of thousandths, up to 10¹⁵: all that an event
/// may hold.
pub fn to_thousandths(value: f64) -> u64 {
    (value * 1000.0 + 0.5).floor() as u64
}

/// The inverse of [`to_thousandths`].
pub fn from_thousandths(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_thousandth_is_rounded_up() {
        assert_eq!([0.0, 0.0004, 0.0005, 0.0014, 15.3, 4.999_5].map(to_thousandths), [0, 0, 1, 1, 15_300, 5_000]);
    }

    proptest! {
        #[test]
        fn every_measurement_comes_back_as_it_was(thousandths in 0..=1_000_000_000_000_000_u64) {
            prop_assert_eq!(to_thousandths(from_thousandths(thousandths)), thousandths);
        }
    }
}
