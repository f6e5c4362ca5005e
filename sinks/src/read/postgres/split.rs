//! How many windows match inside a range of time and outside.

use netqoe_model::MAX_TIME_MS;
use postgres::Row;

use super::execute::{network, tags};
use super::{LABELLED, pairs};
use crate::postgres::window::{Unreadable, narrow};
use crate::read::Names;
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, Matching, SplitRecord};

/// As all readers have it: names by their bytes, and what is unknown first.
const IN_ORDER: &str =
    "ORDER BY client_id, target, network_type COLLATE \"C\" NULLS FIRST, isp COLLATE \"C\" NULLS FIRST,
    site COLLATE \"C\" NULLS FIRST, client_labels COLLATE \"C\" NULLS FIRST, target_labels COLLATE \"C\" NULLS FIRST LIMIT ?";

/// What windows are counted apart for.
const APART: &str = "network_type, isp, site, client_labels, target_labels";

const COUNTS: &str = "count(*) FILTER (WHERE inside), count(*) FILTER (WHERE inside AND matching),
    count(*) FILTER (WHERE NOT inside), count(*) FILTER (WHERE NOT inside AND matching)";

pub(super) fn statement(extent: &Extent, inside_ms: [i64; 2], matching: &Matching, limit: u32) -> Statement {
    let statement = match (&extent.client_id, &extent.target) {
        (None, None) => of_all(extent, inside_ms, matching),
        _ => of_some(extent, inside_ms, matching),
    };
    statement.add(IN_ORDER, [Value::Count(limit.into())])
}

/// The windows of all pairs, by time alone: a walk for each pair would fetch rows one by one that lie together.
fn of_all(extent: &Extent, inside_ms: [i64; 2], matching: &Matching) -> Statement {
    Statement::new(&format!("SELECT client_id, target, {APART}, {COUNTS} FROM (SELECT client_id, target, {APART},"))
        .nest(flags(inside_ms, matching))
        .add("FROM agg_1m WHERE", [])
        .nest(extent.in_time())
        .nest(extent.tagged(LABELLED, "agg_1m"))
        .add(&format!(") AS windows GROUP BY client_id, target, {APART}"), [])
}

/// For each pair a walk along the primary key.
fn of_some(extent: &Extent, inside_ms: [i64; 2], matching: &Matching) -> Statement {
    Statement::new("WITH RECURSIVE")
        .nest(pairs::within(extent))
        .add("SELECT client_id, target, counts.* FROM pair", [])
        .add(&format!("CROSS JOIN LATERAL (SELECT {APART}, {COUNTS} FROM (SELECT {APART},"), [])
        .nest(flags(inside_ms, matching))
        .add("FROM agg_1m WHERE agg_1m.client_id = pair.client_id AND agg_1m.target = pair.target AND", [])
        .nest(extent.in_time())
        .nest(extent.tagged(LABELLED, "agg_1m"))
        .add(&format!(") AS windows GROUP BY {APART}) AS counts WHERE target IS NOT NULL"), [])
}

fn flags(inside_ms: [i64; 2], matching: &Matching) -> Statement {
    let inside_ms = inside_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    Statement::new("")
        .add("window_start_ts >= ? AND window_start_ts < ? AS inside,", inside_ms)
        .nest(matching.condition())
        .add("AS matching", [])
}

pub(super) fn record(row: &Row, names: &mut Names) -> Result<SplitRecord, Unreadable> {
    Ok(SplitRecord {
        pair: names.pair(row.try_get(0)?, row.try_get(1)?),
        network: network(row, 2, names)?,
        tags: tags(row, 5, names)?,
        inside_windows: narrow::<i64, u64>(row, 7)?,
        inside_matching: narrow::<i64, u64>(row, 8)?,
        outside_windows: narrow::<i64, u64>(row, 9)?,
        outside_matching: narrow::<i64, u64>(row, 10)?,
    })
}
