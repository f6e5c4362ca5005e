//! How long a receiver that fails is left alone.

/// Before the second attempt, in milliseconds: what a restart of most services takes.
const FIRST_MS: u64 = 5_000;

/// The longest pause, in milliseconds. It is how much later than the receiver's return a message may come.
const LONGEST_MS: u64 = 300_000;

/// Longest time that a receiver may ask to be left alone for, in milliseconds.
pub(crate) const LONGEST_ASKED_MS: i64 = 3_600_000;

/// The pause after so many failures in a row, in milliseconds: twice as long each time, and shortened by up to a half, so that
/// receivers of many installations are not called at once. `random` is from 0 to 1.
pub(crate) fn pause_ms(failures: u32, random: f64) -> i64 {
    let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    let full = FIRST_MS.saturating_mul(doubled).min(LONGEST_MS);
    let half = full / 2;
    // A figure below half of the longest pause.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let shortened = (half as f64 * random.clamp(0.0, 1.0)) as u64;
    (full - shortened).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_differ() {
        let full: Vec<i64> = (1..=9).map(|failures| pause_ms(failures, 0.0)).collect();
        assert_eq!(full, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
        assert_eq!(pause_ms(1, 1.0), 2_500);
        assert_eq!(pause_ms(u32::MAX, 0.5), 225_000);
    }
}
