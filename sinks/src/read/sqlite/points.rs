//! The windows of pairs in points: for each pair a walk along the primary key.

use rusqlite::{Connection, Row, params_from_iter};

use super::{LABELLED, pairs};
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, Pair, PointRecord, point};

/// Windows are put into points here: SQLite would sort them first.
const WINDOWS: &str = "SELECT window_start_ts, coalesce(diagnosis_label <> 'healthy', false), count_total, count_error,
        ttfb_p95,
        CASE WHEN count_success > 0
            THEN coalesce(dns_p95, 0) + coalesce(tcp_p95, 0) + coalesce(tls_p95, 0) + coalesce(ttfb_p95, 0) END,
        throughput_p50, dns_p95,
        CASE WHEN tcp_p95 IS NOT NULL OR tls_p95 IS NOT NULL THEN coalesce(tcp_p95, 0) + coalesce(tls_p95, 0) END
    FROM agg_1m WHERE client_id = ? AND target = ? AND";

pub(super) fn read(
    connection: &Connection,
    extent: &Extent,
    point_ms: i64,
    limit: u32,
) -> rusqlite::Result<Vec<PointRecord>> {
    let mut points = Vec::new();
    for pair in pairs::within(extent, connection)? {
        add_points(connection, &pair, extent, point_ms, &mut points)?;
        if points.len() >= limit as usize {
            points.truncate(limit as usize);
            break;
        }
    }
    Ok(points)
}

fn add_points(
    connection: &Connection,
    pair: &Pair,
    extent: &Extent,
    point_ms: i64,
    points: &mut Vec<PointRecord>,
) -> rusqlite::Result<()> {
    let statement = of_pair(pair, extent);
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut windows = prepared.query(params_from_iter(&statement.values))?;
    let mut current: Option<PointRecord> = None;
    while let Some(row) = windows.next()? {
        let window = record(row, pair, point_ms)?;
        match &mut current {
            Some(point) if point.start_ms == window.start_ms => point.absorb(&window),
            _ => points.extend(current.replace(window)),
        }
    }
    points.extend(current);
    Ok(())
}

pub(super) fn of_pair(pair: &Pair, extent: &Extent) -> Statement {
    let names = [&pair.client_id, &pair.target].map(|name| Value::Text(name.to_string()));
    Statement::new("")
        .add(WINDOWS, names)
        .nest(extent.in_time())
        .nest(extent.tagged(LABELLED, "agg_1m"))
        .add("ORDER BY window_start_ts", [])
}

/// A point of one window.
fn record(row: &Row<'_>, pair: &Pair, point_ms: i64) -> rusqlite::Result<PointRecord> {
    Ok(PointRecord {
        pair: pair.clone(),
        start_ms: point::start_ms(row.get(0)?, point_ms),
        windows: 1,
        degraded_windows: row.get(1)?,
        count_total: row.get(2)?,
        count_error: row.get(3)?,
        dns_p95_max: row.get(7)?,
        handshake_p95_max: row.get(8)?,
        ttfb_p95_max: row.get(4)?,
        total_p95_max: row.get(5)?,
        throughput_p50_min: row.get(6)?,
    })
}
