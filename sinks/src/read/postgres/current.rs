//! The newest row of each pair.

use netqoe_model::{Label, LogTime, Severity, WindowStart};
use postgres::Row;

use super::execute::known;
use crate::postgres::window::{Unreadable, unix_ms};
use crate::read::statement::{Statement, Value};
use crate::read::summary::Names;
use crate::read::{CurrentRecord, Extent, FindingRecord};

const COLUMNS: &str = "client_id, target, window_start_ts, diagnosis_label, is_final, agg_1m.as_of, agg_1m.updated_at";

/// A healthy row has no diagnosis, and none is looked for. The limit keeps the planner from joining whole tables.
const FINDING: &str = "LEFT JOIN LATERAL (
    SELECT severity, stage, observed, mean, sigma, sigmas, share_of_total FROM diagnoses
    WHERE newest.diagnosis_label <> 'healthy' AND diagnoses.client_id = newest.client_id
    AND diagnoses.target = newest.target AND diagnoses.window_start_ts = newest.window_start_ts LIMIT 1
    ) AS finding ON true ORDER BY client_id, target";

/// The rows of the extent are found first, by their time: a walk in the order of the keys would go through whole months.
pub(super) fn statement(extent: &Extent, limit: u32) -> Statement {
    Statement::new(&format!("WITH recent AS MATERIALIZED (SELECT {COLUMNS} FROM agg_1m WHERE"))
        .nest(extent.conditions())
        .add("), newest AS (SELECT DISTINCT ON (client_id, target) * FROM recent", [])
        .add("ORDER BY client_id, target, window_start_ts DESC LIMIT ?)", [Value::Count(limit.into())])
        .add("SELECT newest.*, finding.* FROM newest", [])
        .add(FINDING, [])
}

pub(super) fn record(row: &Row, names: &mut Names) -> Result<CurrentRecord, Unreadable> {
    let severity = row.try_get::<_, Option<&str>>(7)?.map(|text| known(text, Severity::parse)).transpose()?;
    Ok(CurrentRecord {
        pair: names.pair(row.try_get(0)?, row.try_get(1)?),
        window_start: WindowStart::from_ms(unix_ms(row.try_get(2)?)),
        label: row.try_get::<_, Option<&str>>(3)?.map(|text| known(text, Label::parse)).transpose()?,
        finding: severity.map(|severity| finding(row, severity)).transpose()?.map(Box::new),
        is_final: row.try_get(4)?,
        as_of: LogTime::from_ms(unix_ms(row.try_get(5)?)),
        updated_at_ms: unix_ms(row.try_get(6)?),
    })
}

fn finding(row: &Row, severity: Severity) -> Result<FindingRecord, Unreadable> {
    Ok(FindingRecord {
        severity,
        stage: row.try_get(8)?,
        observed: row.try_get(9)?,
        mean: row.try_get(10)?,
        sigma: row.try_get(11)?,
        sigmas: row.try_get(12)?,
        share_of_total: row.try_get(13)?,
    })
}
