//! What scores are made of: for each pair a walk along the primary key.

use postgres::Row;

use super::execute::tags;
use super::{LABELLED, pairs};
use crate::postgres::window::{Unreadable, narrow};
use crate::read::score::{self, Dialect};
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, Names, ScoreRecord, ScoreTerms};

const DIALECT: Dialect = Dialect {
    start_ms: "(extract(epoch FROM window_start_ts) * 1000)::bigint",
    integer: "::bigint",
    labelled: LABELLED,
    whole: ["floor(", ")::bigint"],
};

const OF_PAIR: &str = "agg_1m.client_id = pair.client_id AND agg_1m.target = pair.target";

pub(super) fn statement(extent: &Extent, terms: ScoreTerms, limit: u32) -> Statement {
    Statement::new("WITH RECURSIVE")
        .nest(pairs::within(extent))
        .add("SELECT client_id, target, sums.* FROM pair CROSS JOIN LATERAL (", [])
        .nest(score::of_pair(&DIALECT, (OF_PAIR, []), extent, terms))
        .add(") AS sums WHERE target IS NOT NULL ORDER BY client_id, target LIMIT ?", [Value::Count(limit.into())])
}

pub(super) fn record(row: &Row, names: &mut Names) -> Result<ScoreRecord, Unreadable> {
    let count = |column| narrow::<i64, u64>(row, column);
    Ok(ScoreRecord {
        pair: names.pair(row.try_get(0)?, row.try_get(1)?),
        isp: row.try_get::<_, Option<&str>>(2)?.map(|isp| names.shared(isp)),
        tags: tags(row, 3, names)?,
        windows: count(5)?,
        count_total: count(6)?,
        count_error: count(7)?,
        satisfied_quarters: count(8)?,
        round_trips: count(9)?,
        round_trip_hundredths: count(10)?,
        available_ms: count(11)?,
        unavailable_ms: count(12)?,
    })
}
