//! Pages of `diagnoses`.

use std::time::SystemTime;

use netqoe_model::{Label, LogTime, Severity, UsualRange, WindowStart};
use postgres::Row;

use super::execute::known;
use super::keys;
use crate::postgres::window::{Unreadable, unix_ms};
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{DiagnosisRecord, FindingRecord, Query, RowPosition};

const COLUMNS: &str = "client_id, target, window_start_ts, label, severity, stage, observed, usual, usual_low,
    usual_high, sigmas, share_of_total, samples, bad_samples, windows, since_ts, is_final, as_of, updated_at";

pub(super) fn statement(query: &Query<RowPosition>) -> Statement {
    keys::page(KeyedTable::Diagnoses, COLUMNS, KeyedTable::Diagnoses, query)
}

pub(super) fn record(row: &Row) -> Result<DiagnosisRecord, Unreadable> {
    Ok(DiagnosisRecord {
        client_id: row.try_get("client_id")?,
        target: row.try_get("target")?,
        window_start: WindowStart::from_ms(unix_ms(row.try_get("window_start_ts")?)),
        label: known(row.try_get("label")?, Label::parse)?,
        finding: finding(row)?,
        is_final: row.try_get("is_final")?,
        as_of: LogTime::from_ms(unix_ms(row.try_get("as_of")?)),
        updated_at_ms: unix_ms(row.try_get("updated_at")?),
    })
}

/// Of a row with these columns of `diagnoses`.
pub(super) fn finding(row: &Row) -> Result<FindingRecord, Unreadable> {
    let (centre, low, high): (Option<f64>, _, _) =
        (row.try_get("usual")?, row.try_get("usual_low")?, row.try_get("usual_high")?);
    let count = |column: &str| row.try_get::<_, Option<i64>>(column).map(|count| count.map(|count| count as u32));
    let since: Option<SystemTime> = row.try_get("since_ts")?;
    Ok(FindingRecord {
        severity: known(row.try_get("severity")?, Severity::parse)?,
        stage: row.try_get("stage")?,
        observed: row.try_get("observed")?,
        usual: centre.zip(low).zip(high).map(|((centre, low), high)| UsualRange { centre, low, high }),
        sigmas: row.try_get("sigmas")?,
        share_of_total: row.try_get("share_of_total")?,
        samples: count("samples")?,
        bad_samples: count("bad_samples")?,
        windows: count("windows")?,
        since: since.map(|since| WindowStart::from_ms(unix_ms(since))),
    })
}
