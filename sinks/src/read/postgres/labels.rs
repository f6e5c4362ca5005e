//! The latest labels of some pairs: for each a walk backwards along the primary key.

use netqoe_model::{MAX_TIME_MS, WindowStart};
use postgres::Row;

use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::statement::{Statement, Value};
use crate::read::{Pair, PastLabel};

/// Pairs go there as JSON, in one value: a list of values would have to be planned anew for every number of them.
pub(super) fn statement(pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Statement {
    let pairs: Vec<_> = pairs.iter().map(|pair| [&*pair.client_id, &*pair.target]).collect();
    let times = times_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    Statement::new("SELECT nth - 1, past.* FROM")
        .add("json_array_elements(?::json) WITH ORDINALITY AS pair(names, nth)", [json(&pairs).into()])
        .add(
            "CROSS JOIN LATERAL (
                 SELECT window_start_ts, coalesce(diagnosis_label <> 'healthy', false) FROM agg_1m
                 WHERE client_id = names ->> 0 AND target = names ->> 1 AND",
            [],
        )
        .add("window_start_ts >= ? AND window_start_ts < ?", times)
        .add("ORDER BY window_start_ts DESC LIMIT ?) AS past(window_start_ts)", [Value::Count(limit.into())])
        .add("ORDER BY nth, window_start_ts DESC", [])
}

fn json(pairs: &[[&str; 2]]) -> String {
    serde_json::Value::from_iter(pairs.iter().map(|names| names.to_vec())).to_string()
}

/// Which pair it is of, and the label.
pub(super) fn record(row: &Row) -> Result<(usize, PastLabel), Unreadable> {
    let window_start = WindowStart::from_ms(unix_ms(row.try_get(1)?));
    Ok((narrow::<i64, usize>(row, 0)?, PastLabel { window_start, is_degraded: row.try_get(2)? }))
}
