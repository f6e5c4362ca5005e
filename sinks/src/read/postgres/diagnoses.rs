//! Pages of `diagnoses`.

use netqoe_model::{Label, LogTime, Severity, WindowStart};
use postgres::Row;

use super::execute::known;
use super::keys;
use crate::postgres::window::{Unreadable, unix_ms};
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{DiagnosisRecord, FindingRecord, Query, RowPosition};

const COLUMNS: &str = "client_id, target, window_start_ts, label, severity, stage, observed, mean, sigma, sigmas,
    share_of_total, is_final, as_of, updated_at";

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
    Ok(FindingRecord {
        severity: known(row.try_get("severity")?, Severity::parse)?,
        stage: row.try_get("stage")?,
        observed: row.try_get("observed")?,
        mean: row.try_get("mean")?,
        sigma: row.try_get("sigma")?,
        sigmas: row.try_get("sigmas")?,
        share_of_total: row.try_get("share_of_total")?,
    })
}
