//! Pages of `agg_1m`.

use std::sync::Arc;

use netqoe_model::{ErrorStage, Label, LogTime, Metric, Percentiles, WindowRow, WindowStart, to_thousandths};
use rusqlite::{Connection, Row};

use super::execute::{known, network, rows, tags};
use super::keys;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{AggregateRecord, Names, Page, Query, RowPosition};

/// The first column of each group of five: errors by stage and percentiles by metric, in the model's order.
const FIRST_ERROR_COLUMN: usize = 4;
const FIRST_PERCENTILE_COLUMN: usize = FIRST_ERROR_COLUMN + ErrorStage::ALL.len();

const FIRST_NETWORK_COLUMN: usize = FIRST_PERCENTILE_COLUMN + 2 * Metric::ALL.len() + 5;

const FIRST_LABELS_COLUMN: usize = FIRST_NETWORK_COLUMN + 3;

const COLUMNS: &str = "client_id, target, window_start_ts, count_success,
    dns_error_count, tcp_error_count, tls_error_count, http_error_count, throughput_error_count,
    dns_p50, dns_p95, tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95,
    diagnosis_label, is_final, as_of, updated_at, pair_state, network_type, isp, site,
    client_labels, target_labels, revision";

pub(super) fn page(connection: &Connection, query: &Query<RowPosition>) -> rusqlite::Result<Page<AggregateRecord>> {
    let mut names = Names::default();
    Ok(query.page(rows(&statement(query), connection, |row| record(row, &mut names))?))
}

fn statement(query: &Query<RowPosition>) -> Statement {
    keys::page(KeyedTable::Aggregates, COLUMNS, KeyedTable::with_label_of(&query.filter), query)
}

fn record(row: &Row<'_>, names: &mut Names) -> rusqlite::Result<AggregateRecord> {
    let mut errors = [0; ErrorStage::ALL.len()];
    for (column, count) in (FIRST_ERROR_COLUMN..).zip(&mut errors) {
        *count = row.get(column)?;
    }
    let mut percentiles = [None; Metric::ALL.len()];
    for (column, metric) in (FIRST_PERCENTILE_COLUMN..).step_by(2).zip(&mut percentiles) {
        let pair: (Option<f64>, Option<f64>) = (row.get(column)?, row.get(column + 1)?);
        *metric =
            pair.0.zip(pair.1).map(|(p50, p95)| Percentiles { p50: to_thousandths(p50), p95: to_thousandths(p95) });
    }
    Ok(AggregateRecord {
        client_id: row.get("client_id")?,
        target: row.get("target")?,
        window: WindowRow {
            start: WindowStart::from_ms(row.get("window_start_ts")?),
            is_final: row.get("is_final")?,
            as_of: LogTime::from_ms(row.get("as_of")?),
            count_success: row.get("count_success")?,
            errors,
            percentiles,
            network: network(row, FIRST_NETWORK_COLUMN, names)?,
            tags: tags(row, FIRST_LABELS_COLUMN, names)?,
        },
        diagnosis_label: match row.get::<_, Option<String>>("diagnosis_label")? {
            Some(text) => Some(known(&text, Label::parse)?),
            None => None,
        },
        pair_state: row.get_ref("pair_state")?.as_blob_or_null()?.map(Arc::from),
        revision: row.get("revision")?,
        updated_at_ms: row.get("updated_at")?,
    })
}
