//! Whether this machine's clock can be trusted: it dates the events.

use rtime_clock::adjtime::{Timex, adjtimex};
use serde::Serialize;

/// `TIME_ERROR` of adjtimex(2): the clock is not synchronized.
const TIME_ERROR: i32 = 5;

/// What the kernel knows of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClockState {
    /// Whether something (NTP, PTP) synchronizes it.
    pub synchronized: bool,
    /// The maximum error in ms, as the program that synchronizes the clock has told the kernel. Absent if it is not synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_error_ms: Option<f64>,
}

/// Asks the kernel, and changes nothing. `None` if it does not tell.
pub(crate) fn clock_state() -> Option<ClockState> {
    // Without modes it only reads.
    let mut timex = Timex::new();
    let state = adjtimex(&mut timex).inspect_err(|error| tracing::debug!("the clock's state: {error}")).ok()?;
    Some(of(state, timex.0.maxerror))
}

fn of(state: i32, max_error_us: i64) -> ClockState {
    let synchronized = state != TIME_ERROR;
    ClockState { synchronized, max_error_ms: synchronized.then_some(max_error_us as f64 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_nobody_keeps_right_has_no_bound() {
        assert_eq!(of(TIME_ERROR, 16_000_000), ClockState { synchronized: false, max_error_ms: None });
        assert_eq!(of(0, 2500), ClockState { synchronized: true, max_error_ms: Some(2.5) });
        assert!(clock_state().is_some(), "Linux always tells");
    }
}
