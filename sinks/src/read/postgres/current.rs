//! The newest row of each pair.

use std::collections::HashSet;

use netqoe_model::{Label, LogTime, TagValue, WindowStart};
use postgres::Row;

use super::diagnoses;
use super::execute::{known, network, tags};
use crate::postgres::window::{Unreadable, unix_ms};
use crate::read::Names;
use crate::read::statement::Statement;
use crate::read::{CurrentRecord, Extent, Pair};

const ROWS: &str = "SELECT client_id, target, window_start_ts, diagnosis_label, is_final, as_of, updated_at, finding.*, network_type,
        isp, site, client_labels, target_labels
    FROM (SELECT client_id, target, window_start_ts, diagnosis_label, is_final, as_of, updated_at, network_type, isp, site,
        client_labels, target_labels FROM agg_1m WHERE";

/// A healthy row has no diagnosis, and none is looked for. The limit keeps the planner from joining whole tables.
const FINDING: &str = ") AS row LEFT JOIN LATERAL (
    SELECT severity, stage, observed, usual, usual_low, usual_high, sigmas, share_of_total, samples, bad_samples, windows,
           since_ts FROM diagnoses
    WHERE row.diagnosis_label <> 'healthy' AND diagnoses.client_id = row.client_id
    AND diagnoses.target = row.target AND diagnoses.window_start_ts = row.window_start_ts LIMIT 1
    ) AS finding ON true ORDER BY window_start_ts DESC";

const FIRST_NETWORK_COLUMN: usize = 19;
const FIRST_LABELS_COLUMN: usize = FIRST_NETWORK_COLUMN + 3;

/// All rows of the extent, newest window first, as the index on time gives them. To find the newest of each pair, the
/// server would sort them by their names, which takes longer than to send them.
pub(super) fn statement(extent: &Extent) -> Statement {
    Statement::new(ROWS).nest(extent.conditions()).add(FINDING, [])
}

/// The first row of each pair, if it has all of some labels.
#[derive(Default)]
pub(super) struct Newest<'a> {
    tags: &'a [TagValue],
    names: Names,
    seen: HashSet<Pair>,
    found: usize,
}

impl<'a> Newest<'a> {
    pub(super) fn with(tags: &'a [TagValue]) -> Self {
        Self { tags, ..Self::default() }
    }

    /// The row, if it is the first of its pair, has the labels, and no more than `limit` pairs are found.
    pub(super) fn record(&mut self, row: &Row, limit: u32) -> Result<Option<CurrentRecord>, Unreadable> {
        let pair = self.names.pair(row.try_get(0)?, row.try_get(1)?);
        if self.found == limit as usize || !self.seen.insert(pair.clone()) {
            return Ok(None);
        }
        let tags = tags(row, FIRST_LABELS_COLUMN, &mut self.names)?;
        if !self.tags.iter().all(|tag| tag.is_of(tags.as_deref())) {
            return Ok(None);
        }
        self.found += 1;
        let is_found = row.try_get::<_, Option<&str>>(7)?.is_some();
        Ok(Some(CurrentRecord {
            pair,
            window_start: WindowStart::from_ms(unix_ms(row.try_get(2)?)),
            label: row.try_get::<_, Option<&str>>(3)?.map(|text| known(text, Label::parse)).transpose()?,
            network: network(row, FIRST_NETWORK_COLUMN, &mut self.names)?,
            tags,
            finding: is_found.then(|| diagnoses::finding(row)).transpose()?.map(Box::new),
            is_final: row.try_get(4)?,
            as_of: LogTime::from_ms(unix_ms(row.try_get(5)?)),
            updated_at_ms: unix_ms(row.try_get(6)?),
        }))
    }
}
