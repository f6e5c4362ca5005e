//! The latest labels of some pairs: for each a walk backwards along the primary key.

use netqoe_model::WindowStart;
use rusqlite::{Connection, params};

use crate::read::{Pair, PastLabel};

pub(super) const LATEST: &str = "SELECT window_start_ts, coalesce(diagnosis_label <> 'healthy', false) FROM agg_1m
    WHERE client_id = ? AND target = ? AND window_start_ts >= ? AND window_start_ts < ?
    ORDER BY window_start_ts DESC LIMIT ?";

pub(super) fn read(
    connection: &Connection,
    pairs: &[Pair],
    [from_ms, to_ms]: [i64; 2],
    limit: u32,
) -> rusqlite::Result<Vec<Vec<PastLabel>>> {
    let mut latest = connection.prepare_cached(LATEST)?;
    let mut of = |pair: &Pair| {
        let rows = latest.query_map(params![pair.client_id, pair.target, from_ms, to_ms, limit], |row| {
            Ok(PastLabel { window_start: WindowStart::from_ms(row.get(0)?), is_degraded: row.get(1)? })
        })?;
        rows.collect()
    };
    pairs.iter().map(&mut of).collect()
}
