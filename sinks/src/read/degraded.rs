//! How many pairs were degraded in each window: the same query for every store.

use netqoe_model::{Label, WindowStart};

use super::DegradedRecord;
use super::statement::{Statement, Value};

/// The labels of degraded windows, in the order of the columns of [`counts`].
fn findings() -> impl Iterator<Item = Label> {
    Label::ALL.into_iter().filter(|label| *label != Label::Healthy)
}

/// The counts of `degraded`, which follows FROM and has a row (window_start_ts, label) for each pair and window. One column
/// for each label: to group by them as well, a store would sort what an index gives in the order of time.
pub(super) fn counts(degraded: Statement, limit: u32) -> Statement {
    let columns: String = findings().map(|label| format!(", count(*) FILTER (WHERE label = '{label}')")).collect();
    Statement::new(&format!("SELECT window_start_ts{columns} FROM"))
        .nest(degraded)
        .add("GROUP BY window_start_ts ORDER BY window_start_ts LIMIT ?", [Value::Count(limit.into())])
}

/// Of a row of [`counts`], whose columns are read so.
pub(super) fn record<E>(start_ms: i64, count: impl Fn(usize) -> Result<u64, E>) -> Result<DegradedRecord, E> {
    let mut pairs = Vec::new();
    for (column, label) in (1..).zip(findings()) {
        match count(column)? {
            0 => {}
            found => pairs.push((label, found)),
        }
    }
    Ok(DegradedRecord { window_start: WindowStart::from_ms(start_ms), pairs })
}
