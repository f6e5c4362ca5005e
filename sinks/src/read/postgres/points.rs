//! The windows of pairs in points: for each pair a walk along the primary key.

use postgres::Row;

use super::{LABELLED, pairs};
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::Names;
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, PointRecord};

const POINTS: &str = "window_start_ts, 'epoch') AS start, count(*),
        count(*) FILTER (WHERE diagnosis_label <> 'healthy'), sum(count_total)::bigint, sum(count_error)::bigint,
        max(ttfb_p95),
        max(coalesce(dns_p95, 0) + coalesce(tcp_p95, 0) + coalesce(tls_p95, 0) + coalesce(ttfb_p95, 0))
            FILTER (WHERE count_success > 0),
        min(throughput_p50), max(dns_p95),
        max(coalesce(tcp_p95, 0) + coalesce(tls_p95, 0)) FILTER (WHERE tcp_p95 IS NOT NULL OR tls_p95 IS NOT NULL)
    FROM agg_1m WHERE agg_1m.client_id = pair.client_id AND agg_1m.target = pair.target AND";

pub(super) fn statement(extent: &Extent, point_ms: i64, limit: u32) -> Statement {
    Statement::new("WITH RECURSIVE")
        .nest(pairs::within(extent))
        .add("SELECT client_id, target, points.* FROM pair CROSS JOIN LATERAL (SELECT", [])
        .add("date_bin(? * interval '1 millisecond',", [Value::Count(point_ms)])
        .add(POINTS, [])
        .nest(extent.in_time())
        .nest(extent.tagged(LABELLED, "agg_1m"))
        .add("GROUP BY start) AS points WHERE target IS NOT NULL", [])
        .add("ORDER BY client_id, target, start LIMIT ?", [Value::Count(limit.into())])
}

pub(super) fn record(row: &Row, names: &mut Names) -> Result<PointRecord, Unreadable> {
    Ok(PointRecord {
        pair: names.pair(row.try_get(0)?, row.try_get(1)?),
        start_ms: unix_ms(row.try_get(2)?),
        windows: narrow::<i64, u64>(row, 3)?,
        degraded_windows: narrow::<i64, u64>(row, 4)?,
        count_total: narrow::<i64, u64>(row, 5)?,
        count_error: narrow::<i64, u64>(row, 6)?,
        dns_p95_max: row.try_get(10)?,
        handshake_p95_max: row.try_get(11)?,
        ttfb_p95_max: row.try_get(7)?,
        total_p95_max: row.try_get(8)?,
        throughput_p50_min: row.try_get(9)?,
    })
}
