//! Pages of `diagnoses`.

use netqoe_model::{Label, LogTime, Severity, UsualRange, WindowStart};
use rusqlite::{Connection, Row};

use super::execute::{known, rows};
use super::keys;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{DiagnosisRecord, FindingRecord, Page, Query, RowPosition};

const COLUMNS: &str = "client_id, target, window_start_ts, label, severity, stage, observed, usual, usual_low,
    usual_high, sigmas, share_of_total, samples, bad_samples, windows, since_ts, is_final, as_of, updated_at";

pub(super) fn page(connection: &Connection, query: &Query<RowPosition>) -> rusqlite::Result<Page<DiagnosisRecord>> {
    Ok(query.page(rows(&statement(query), connection, record)?))
}

fn statement(query: &Query<RowPosition>) -> Statement {
    keys::page(KeyedTable::Diagnoses, COLUMNS, KeyedTable::Diagnoses, query)
}

fn record(row: &Row<'_>) -> rusqlite::Result<DiagnosisRecord> {
    Ok(DiagnosisRecord {
        client_id: row.get("client_id")?,
        target: row.get("target")?,
        window_start: WindowStart::from_ms(row.get("window_start_ts")?),
        label: known(&row.get::<_, String>("label")?, Label::parse)?,
        finding: finding(row)?,
        is_final: row.get("is_final")?,
        as_of: LogTime::from_ms(row.get("as_of")?),
        updated_at_ms: row.get("updated_at")?,
    })
}

/// Of a row with these columns of `diagnoses`.
pub(super) fn finding(row: &Row<'_>) -> rusqlite::Result<FindingRecord> {
    let (centre, low, high): (Option<f64>, _, _) = (row.get("usual")?, row.get("usual_low")?, row.get("usual_high")?);
    let since: Option<i64> = row.get("since_ts")?;
    Ok(FindingRecord {
        severity: known(&row.get::<_, String>("severity")?, Severity::parse)?,
        stage: row.get("stage")?,
        observed: row.get("observed")?,
        usual: centre.zip(low).zip(high).map(|((centre, low), high)| UsualRange { centre, low, high }),
        sigmas: row.get("sigmas")?,
        share_of_total: row.get("share_of_total")?,
        samples: row.get("samples")?,
        bad_samples: row.get("bad_samples")?,
        windows: row.get("windows")?,
        since: since.map(WindowStart::from_ms),
    })
}
