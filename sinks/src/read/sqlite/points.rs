//! The windows of pairs in points: for each pair a walk along the primary key.

use rusqlite::{CachedStatement, Connection, Row, params_from_iter};

use super::pairs;
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, Pair, PointRecord};

const OF_PAIR: &str = "
    SELECT window_start_ts - window_start_ts % ? AS start_ms, count(*),
        count(*) FILTER (WHERE diagnosis_label <> 'healthy'), sum(count_total), sum(count_error), max(ttfb_p95),
        max(CASE WHEN count_success > 0
            THEN coalesce(dns_p95, 0) + coalesce(tcp_p95, 0) + coalesce(tls_p95, 0) + coalesce(ttfb_p95, 0) END),
        min(throughput_p50)
    FROM agg_1m WHERE client_id = ? AND target = ? AND";

pub(super) fn read(
    connection: &Connection,
    extent: &Extent,
    point_ms: i64,
    limit: u32,
) -> rusqlite::Result<Vec<PointRecord>> {
    // What pairs there are and what they have is one state of the store.
    let snapshot = connection.unchecked_transaction()?;
    let mut points = Vec::new();
    let limit = limit as usize;
    for pair in pairs::within(extent, &snapshot)? {
        let statement = of_pair(&pair, extent, point_ms, limit - points.len());
        of_one(&mut snapshot.prepare_cached(&statement.sql)?, &statement.values, &pair, &mut points)?;
        if points.len() == limit {
            break;
        }
    }
    Ok(points)
}

pub(super) fn of_pair(pair: &Pair, extent: &Extent, point_ms: i64, limit: usize) -> Statement {
    let names = [&pair.client_id, &pair.target].map(|name| Value::Text(name.to_string()));
    let [client_id, target] = names;
    Statement::new("")
        .add(OF_PAIR, [Value::Count(point_ms), client_id, target])
        .nest(extent.in_time())
        .add("GROUP BY start_ms ORDER BY start_ms LIMIT ?", [Value::Count(limit as i64)])
}

fn of_one(
    statement: &mut CachedStatement<'_>,
    values: &[Value],
    pair: &Pair,
    points: &mut Vec<PointRecord>,
) -> rusqlite::Result<()> {
    for point in statement.query_map(params_from_iter(values), |row| record(row, pair))? {
        points.push(point?);
    }
    Ok(())
}

fn record(row: &Row<'_>, pair: &Pair) -> rusqlite::Result<PointRecord> {
    Ok(PointRecord {
        pair: pair.clone(),
        start_ms: row.get(0)?,
        windows: row.get(1)?,
        degraded_windows: row.get(2)?,
        count_total: row.get(3)?,
        count_error: row.get(4)?,
        ttfb_p95_max: row.get(5)?,
        total_p95_max: row.get(6)?,
        throughput_p50_min: row.get(7)?,
    })
}
