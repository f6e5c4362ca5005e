//! Conditions on the labels of windows. Both stores have the labels of a side as one JSON text, in which a label is looked for as it is
//! written there: that takes less than to parse each text.
//!
//! Decision: D-104.

use netqoe_model::TagValue;

use super::statement::{Statement, Value};

/// How a store writes what the conditions need.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    /// The function of a text and another one that tells where in the first the second begins, counted from one: 0 where it is not there.
    pub(super) place_of: &'static str,
    /// What has a window looked up along the primary key of `agg_1m`, where the store has to be told.
    pub(super) by_key: &'static str,
}

/// For a row of `agg_1m`, which the statement calls `row`: each begins with AND.
pub(super) fn conditions(tags: &[TagValue], dialect: Dialect, row: &str) -> Statement {
    tags.iter().fold(Statement::new(""), |conditions, tag| {
        let column = format!("{row}.{}_labels", tag.name.side.as_str());
        conditions.add(&format!("AND {}({column}, ?) > 0", dialect.place_of), [tag.member().into()])
    })
}

/// The same for a row of another table that has the client, the target and, in the column `window`, the start of a window.
pub(super) fn of_window(tags: &[TagValue], dialect: Dialect, row: &str, window: &str) -> Statement {
    exists(tags, dialect, row, window, Statement::new(""))
}

/// The same for a row whose window starts between two times, in Unix milliseconds: so PostgreSQL leaves out the other months at once.
pub(super) fn of_window_between(
    tags: &[TagValue],
    dialect: Dialect,
    row: &str,
    window: &str,
    times_ms: [i64; 2],
) -> Statement {
    let between = Statement::new("")
        .add("AND labelled.window_start_ts >= ? AND labelled.window_start_ts < ?", times_ms.map(Value::Time));
    exists(tags, dialect, row, window, between)
}

/// The offset keeps PostgreSQL's planner from joining whole tables: each window is looked up by itself.
fn exists(tags: &[TagValue], dialect: Dialect, row: &str, window: &str, more: Statement) -> Statement {
    if tags.is_empty() {
        return Statement::new("");
    }
    Statement::new(&format!(
        "AND EXISTS (SELECT 1 FROM agg_1m AS labelled {} WHERE labelled.client_id = {row}.client_id
             AND labelled.target = {row}.target AND labelled.window_start_ts = {row}.{window}",
        dialect.by_key
    ))
    .nest(more)
    .nest(conditions(tags, dialect, "labelled"))
    .add("LIMIT 1 OFFSET 0)", [])
}
