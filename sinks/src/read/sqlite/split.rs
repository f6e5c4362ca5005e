//! How many windows match inside a range of time and outside: for each pair a walk along the primary key.

use netqoe_model::MAX_TIME_MS;
use rusqlite::{Connection, Row, params_from_iter};

use super::pairs;
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, Matching, Pair, SplitRecord};

pub(super) fn read(
    connection: &Connection,
    extent: &Extent,
    inside_ms: [i64; 2],
    matching: &Matching,
    limit: u32,
) -> rusqlite::Result<Vec<SplitRecord>> {
    // What pairs there are and what they have is one state of the store.
    let snapshot = connection.unchecked_transaction()?;
    let mut splits = Vec::new();
    for pair in pairs::within(extent, &snapshot)? {
        let statement = of_pair(&pair, extent, inside_ms, matching);
        let split = snapshot
            .prepare_cached(&statement.sql)?
            .query_row(params_from_iter(&statement.values), |row| record(row, &pair))?;
        if split.inside_windows + split.outside_windows > 0 {
            splits.push(split);
        }
        if splits.len() == limit as usize {
            break;
        }
    }
    Ok(splits)
}

pub(super) fn of_pair(pair: &Pair, extent: &Extent, inside_ms: [i64; 2], matching: &Matching) -> Statement {
    let names = [&pair.client_id, &pair.target].map(|name| Value::Text(name.to_string()));
    let inside_ms = inside_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    Statement::new(
        "SELECT count(*) FILTER (WHERE inside), count(*) FILTER (WHERE inside AND matching),
             count(*) FILTER (WHERE NOT inside), count(*) FILTER (WHERE NOT inside AND matching)
         FROM (SELECT",
    )
    .add("window_start_ts >= ? AND window_start_ts < ? AS inside,", inside_ms)
    .nest(matching.condition())
    .add("AS matching FROM agg_1m WHERE client_id = ? AND target = ? AND", names)
    .nest(extent.in_time())
    .add(")", [])
}

fn record(row: &Row<'_>, pair: &Pair) -> rusqlite::Result<SplitRecord> {
    Ok(SplitRecord {
        pair: pair.clone(),
        inside_windows: row.get(0)?,
        inside_matching: row.get(1)?,
        outside_windows: row.get(2)?,
        outside_matching: row.get(3)?,
    })
}
