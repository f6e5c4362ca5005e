//! Runs, put together of the windows that belong to them: the same question to every store.

use netqoe_model::Severity;

use super::statement::{Statement, Value};
use super::{Extent, Filter};

/// What a run's record is made of, and how runs are told apart. Both stores have these functions.
const COLUMNS: &str = "client_id, target, label, since_ts, max(window_start_ts), count(*),
    max(CASE severity WHEN 'critical' THEN 2 WHEN 'major' THEN 1 ELSE 0 END),
    coalesce(max(window_start_ts) FILTER (WHERE is_final) = max(window_start_ts), false)";

/// Newest run first; runs that began together by their names.
const ORDER: &str = "GROUP BY client_id, target, label, since_ts ORDER BY since_ts DESC, client_id, target, label";

/// The runs of `windows`, which follows FROM and has rows of `diagnoses`, and ends with its conditions on time.
pub(super) fn of(windows: Statement, filter: &Filter, limit: u16) -> Statement {
    Statement::new(&format!("SELECT {COLUMNS} FROM"))
        .nest(windows)
        .add_some("AND label = ?", filter.label_text())
        .add(&format!("AND since_ts IS NOT NULL {ORDER} LIMIT ?"), [Value::Count(i64::from(limit) + 1)])
}

/// The windows that the filter is about.
pub(super) fn extent(filter: &Filter) -> Extent {
    let [from_ms, to_ms] = filter.times_ms();
    let Filter { client_id, target, tags, .. } = filter.clone();
    Extent { client_id, target, tags, from_ms, to_ms }
}

/// What the third figure of [`of`] stands for.
pub(super) fn severity(rank: i64) -> Severity {
    match rank {
        2 => Severity::Critical,
        1 => Severity::Major,
        _ => Severity::Minor,
    }
}
