//! The columns of `agg_1m` that make a window, and values as the driver has them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use netqoe_model::{ErrorStage, LogTime, Metric, Percentiles, WindowRow, WindowStart, to_thousandths};
use postgres::Row;
use postgres::types::FromSql;

/// What [`window`] reads, in its order.
pub(crate) const WINDOW_COLUMNS: &str = "window_start_ts, is_final, as_of, count_success,
    dns_error_count, tcp_error_count, tls_error_count, http_error_count, throughput_error_count,
    dns_p50, dns_p95, tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95";

const FIRST_ERROR_COUNT: usize = 4;
const FIRST_PERCENTILE: usize = FIRST_ERROR_COUNT + ErrorStage::ALL.len();

/// Why a row can't be read.
pub(crate) enum Unreadable {
    /// A column is missing, or of another type.
    Postgres(postgres::Error),
    /// A value is none that we write.
    Value(String),
}

impl From<postgres::Error> for Unreadable {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

/// The window whose columns begin with this one, without its network and its labels: nothing is judged by those.
pub(crate) fn window(row: &Row, first: usize) -> Result<WindowRow, Unreadable> {
    let mut errors = [0; ErrorStage::ALL.len()];
    for (stage, count) in errors.iter_mut().enumerate() {
        *count = narrow::<i64, u32>(row, first + FIRST_ERROR_COUNT + stage)?;
    }
    let mut percentiles = [None; Metric::ALL.len()];
    for (metric, both) in percentiles.iter_mut().enumerate() {
        let p50: Option<f64> = row.try_get(first + FIRST_PERCENTILE + 2 * metric)?;
        let p95: Option<f64> = row.try_get(first + FIRST_PERCENTILE + 2 * metric + 1)?;
        *both = p50.zip(p95).map(|(p50, p95)| Percentiles { p50: to_thousandths(p50), p95: to_thousandths(p95) });
    }
    Ok(WindowRow {
        start: WindowStart::from_ms(unix_ms(row.try_get(first)?)),
        is_final: row.try_get(first + 1)?,
        as_of: LogTime::from_ms(unix_ms(row.try_get(first + 2)?)),
        count_success: narrow::<i64, u32>(row, first + 3)?,
        errors,
        percentiles,
        network: None,
        tags: None,
    })
}

/// A count in a wider type of the store's than of ours.
pub(crate) fn narrow<'a, Wide, Narrow>(row: &'a Row, column: usize) -> Result<Narrow, Unreadable>
where
    Wide: FromSql<'a> + Copy + std::fmt::Display,
    Narrow: TryFrom<Wide>,
{
    let value: Wide = row.try_get(column)?;
    Narrow::try_from(value).map_err(|_| {
        let name = row.columns().get(column).map_or("?", |column| column.name());
        Unreadable::Value(format!("{name} = {value}"))
    })
}

/// As the driver takes a `timestamptz`.
pub(crate) fn timestamptz(unix_ms: i64) -> SystemTime {
    let distance = Duration::from_millis(unix_ms.unsigned_abs());
    if unix_ms < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

/// The inverse of [`timestamptz`].
pub(crate) fn unix_ms(time: SystemTime) -> i64 {
    let ms = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => ms(after),
        Err(before) => -ms(before.duration()),
    }
}
