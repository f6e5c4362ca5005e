//! The latest labels of some pairs: for each a walk backwards along the primary key.

use std::time::SystemTime;

use netqoe_model::{MAX_TIME_MS, WindowStart};
use postgres::Row;

use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::statement::{Statement, Value};
use crate::read::{Pair, PastLabel};

/// A pair's labels come in one row, in the order of the walk: a row for each would take longer to send than to find.
const LABELS: &str = "CROSS JOIN LATERAL (SELECT array_agg(window_start_ts), array_agg(is_degraded) FROM (
    SELECT window_start_ts, coalesce(diagnosis_label <> 'healthy', false) AS is_degraded FROM agg_1m
    WHERE client_id = names ->> 0 AND target = names ->> 1 AND";

/// Pairs go there as JSON, in one value: a list of values would have to be planned anew for every number of them.
pub(super) fn statement(pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Statement {
    let pairs = serde_json::Value::from_iter(pairs.iter().map(|pair| vec![&*pair.client_id, &*pair.target]));
    let times = times_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    Statement::new("SELECT nth - 1, past.* FROM")
        .add("json_array_elements(?::json) WITH ORDINALITY AS pair(names, nth)", [pairs.to_string().into()])
        .add(LABELS, [])
        .add("window_start_ts >= ? AND window_start_ts < ?", times)
        .add("ORDER BY window_start_ts DESC LIMIT ?) AS windows) AS past", [Value::Count(limit.into())])
}

/// Which pair it is, and its labels.
pub(super) fn record(row: &Row) -> Result<(usize, Vec<PastLabel>), Unreadable> {
    // Of no windows, the server makes no arrays.
    let starts: Option<Vec<SystemTime>> = row.try_get(1)?;
    let degraded: Option<Vec<bool>> = row.try_get(2)?;
    let labels = starts.unwrap_or_default().into_iter().zip(degraded.unwrap_or_default());
    let label = |(start, is_degraded)| PastLabel { window_start: WindowStart::from_ms(unix_ms(start)), is_degraded };
    Ok((narrow::<i64, usize>(row, 0)?, labels.map(label).collect()))
}
