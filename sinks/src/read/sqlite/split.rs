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
    let mut splits = Vec::new();
    for pair in pairs::within(extent, connection)? {
        let statement = of_pair(&pair, extent, inside_ms, matching);
        let split = connection
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

/// All windows, and once more those inside: that takes half the time of telling them apart one by one.
pub(super) fn of_pair(pair: &Pair, extent: &Extent, inside_ms: [i64; 2], matching: &Matching) -> Statement {
    let [from_ms, to_ms] = inside_ms.map(|ms| ms.clamp(0, MAX_TIME_MS));
    let inside = Extent { from_ms: extent.from_ms.max(from_ms), to_ms: extent.to_ms.min(to_ms), ..extent.clone() };
    Statement::new("SELECT inside.windows, inside.matching, every.windows, every.matching FROM (")
        .nest(counts(pair, extent, matching))
        .add(") AS every, (", [])
        .nest(counts(pair, &inside, matching))
        .add(") AS inside", [])
}

fn counts(pair: &Pair, extent: &Extent, matching: &Matching) -> Statement {
    let names = [&pair.client_id, &pair.target].map(|name| Value::Text(name.to_string()));
    Statement::new("SELECT count(*) AS windows, count(*) FILTER (WHERE")
        .nest(matching.condition())
        .add(") AS matching FROM agg_1m WHERE client_id = ? AND target = ? AND", names)
        .nest(extent.in_time())
}

fn record(row: &Row<'_>, pair: &Pair) -> rusqlite::Result<SplitRecord> {
    let count = |column| row.get::<_, u64>(column);
    Ok(SplitRecord {
        pair: pair.clone(),
        inside_windows: count(0)?,
        inside_matching: count(1)?,
        outside_windows: count(2)? - count(0)?,
        outside_matching: count(3)? - count(1)?,
    })
}
