//! What tests break in the dataflow on purpose; see [`netqoe_model::planted`]. With it, this crate knows a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use netqoe_model::LogTime;
use netqoe_model::planted::{Plant, planted};

/// Whether each copy of an event counts.
pub(crate) fn skips_deduplication() -> bool {
    planted() == Some(&Plant::SkipDeduplication)
}

/// Whether windows that were closed before a start are built and written again.
pub(crate) fn rewrites_closed_windows() -> bool {
    planted() == Some(&Plant::RewriteClosedWindows)
}

/// Moves a partition's log time on to the time of this machine.
pub(crate) fn move_to_wall_clock(log_time: &mut LogTime) {
    if planted() == Some(&Plant::CloseByWallClock) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        *log_time = LogTime::from_ms(i64::try_from(now).unwrap_or(i64::MAX)).max(*log_time);
    }
}

/// Ends the process at a poisonous event, or never comes back from one that hangs.
pub(crate) fn swallow(event_id: &str) {
    match planted() {
        Some(Plant::Poison(poisonous)) if poisonous == event_id => std::process::abort(),
        Some(Plant::Hang(hanging)) if hanging == event_id => loop {
            std::thread::park();
        },
        _ => {}
    }
}
