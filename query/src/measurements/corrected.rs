//! Windows that a correction has written again, as their rows say: they count measurements that came late.
//!
//! Decision: D-108.

use std::collections::HashMap;

use netqoe_model::{Event, LogTime, WindowStart};
use netqoe_sinks::read::{Filter, Query, ReadError, Rows};

use super::Sought;

/// Rows that are looked at for one answer, the newest: those of ten targets in more than an hour. Measurements that came late in
/// older windows are not looked for.
const MAX_ROWS: u16 = 1_000;

/// By target and window: the log time up to which what came late is counted.
#[derive(Debug, Default)]
pub(super) struct CorrectedWindows(HashMap<(String, WindowStart), LogTime>);

impl CorrectedWindows {
    /// Those among the windows that are asked for.
    pub(super) fn read(rows: &dyn Rows, sought: &Sought, window_ms: i64) -> Result<Self, ReadError> {
        let filter = Filter {
            client_id: Some(sought.client_id.clone()),
            target: sought.target.clone(),
            // The window that it begins in began before.
            from_ms: Some(sought.from_ms.saturating_sub(window_ms - 1)),
            to_ms: Some(sought.to_ms),
            ..Filter::default()
        };
        let page = rows.aggregates(&Query { filter, after: None, limit: MAX_ROWS })?;
        let corrected = page.items.into_iter().filter(|row| row.revision > 0);
        Ok(Self(corrected.map(|row| ((row.target, row.window.start), row.window.as_of)).collect()))
    }

    /// Whether a row counts this measurement, which came late, or would if it were no copy.
    pub(super) fn reflect(&self, event: &Event<'_>, window: WindowStart, log_time: LogTime) -> bool {
        self.0.get(&(event.target.to_string(), window)).is_some_and(|as_of| log_time <= *as_of)
    }

    /// When the log took the newest measurement that came late and is counted, Unix milliseconds; none where there is none.
    pub(super) fn late_until_ms(&self) -> Option<i64> {
        self.0.values().max().map(|as_of| as_of.ms())
    }
}
