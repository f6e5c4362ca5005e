//! The machine's clock, in Unix milliseconds.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present.
pub(crate) fn now_ms() -> i64 {
    // A clock set before 1970 stands still at its beginning.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// What gives `updated_at` to a store.
pub(crate) fn store_clock() -> netqoe_sinks::Clock {
    Arc::new(now_ms)
}
