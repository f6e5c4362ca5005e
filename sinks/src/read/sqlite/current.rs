//! The newest row of each pair.

use netqoe_model::{Label, LogTime, WindowStart};
use rusqlite::{Connection, Row};

use super::LABELLED;
use super::diagnoses;
use super::execute::{known, network, rows, tags};
use crate::read::Names;
use crate::read::statement::{Statement, Value};
use crate::read::{CurrentRecord, Extent};

/// The row of each key and its diagnosis, both along the primary key: the index on time would only lead there. A healthy
/// row has no diagnosis, and a null is not looked for.
const ROWS: &str = "
    CROSS JOIN agg_1m AS newest NOT INDEXED USING (client_id, target, window_start_ts)
    LEFT JOIN diagnoses AS finding NOT INDEXED
        ON finding.client_id = CASE WHEN newest.diagnosis_label <> 'healthy' THEN newest.client_id END
        AND finding.target = newest.target AND finding.window_start_ts = newest.window_start_ts";

const COLUMNS: &str = "newest.client_id, newest.target, newest.window_start_ts, newest.diagnosis_label,
    newest.is_final, newest.as_of, newest.updated_at,
    severity, stage, observed, usual, usual_low, usual_high, sigmas, share_of_total, samples, bad_samples,
    windows, since_ts, newest.network_type, newest.isp, newest.site, newest.client_labels, newest.target_labels";

const FIRST_NETWORK_COLUMN: usize = 19;
const FIRST_LABELS_COLUMN: usize = FIRST_NETWORK_COLUMN + 3;

pub(super) fn read(connection: &Connection, extent: &Extent, limit: u32) -> rusqlite::Result<Vec<CurrentRecord>> {
    let mut names = Names::default();
    rows(&statement(extent, limit), connection, |row| record(row, &mut names))
}

/// The index on time has the whole keys: the newest of each are found in it alone. Labels are in the rows, and pairs without them
/// don't count.
pub(super) fn statement(extent: &Extent, limit: u32) -> Statement {
    let limit = || [Value::Count(limit.into())];
    let newest = Statement::new(&format!(
        "SELECT {COLUMNS} FROM (SELECT client_id, target, max(window_start_ts) AS window_start_ts"
    ))
    .add("FROM agg_1m INDEXED BY agg_1m_window WHERE", [])
    .nest(extent.conditions())
    .add("GROUP BY client_id, target", []);
    const IN_ORDER: &str = "ORDER BY newest.client_id, newest.target";
    match extent.tags.is_empty() {
        true => newest.add("LIMIT ?)", limit()).add(ROWS, []).add(IN_ORDER, []),
        false => newest
            .add(")", [])
            .add(ROWS, [])
            .add("WHERE true", [])
            .nest(extent.tagged(LABELLED, "newest"))
            .add(IN_ORDER, [])
            .add("LIMIT ?", limit()),
    }
}

fn record(row: &Row<'_>, names: &mut Names) -> rusqlite::Result<CurrentRecord> {
    let label = row.get_ref(3)?.as_str_or_null()?.map(|text| known(text, Label::parse)).transpose()?;
    let is_found = row.get_ref(7)?.as_str_or_null()?.is_some();
    Ok(CurrentRecord {
        pair: names.pair(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?),
        window_start: WindowStart::from_ms(row.get(2)?),
        label,
        network: network(row, FIRST_NETWORK_COLUMN, names)?,
        tags: tags(row, FIRST_LABELS_COLUMN, names)?,
        finding: is_found.then(|| diagnoses::finding(row)).transpose()?.map(Box::new),
        is_final: row.get(4)?,
        as_of: LogTime::from_ms(row.get(5)?),
        updated_at_ms: row.get(6)?,
    })
}
