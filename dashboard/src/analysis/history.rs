//! What the store holds of one pair in a range of time, and of what was before it as much as baselines need.

use std::collections::HashMap;

use netqoe_model::{DiagnosisRules, Label, WindowRow, WindowStart};
use netqoe_sinks::read::{
    AggregateRecord, DiagnosisRecord, Extent, Filter, Page, Query, ReadError, Reader, RowPosition,
};

use crate::answer::Refusal;
use crate::pages::pages;

/// Rows that are read at once.
const PAGE: u16 = 10_000;

/// More than three months of minutes.
const MAX_ROWS: usize = 150_000;

/// The windows of one pair, oldest first, and what hurt in them, newest first.
#[derive(Debug)]
pub(crate) struct PairHistory {
    /// Also earlier ones: those with a success that the baseline of the first window takes.
    pub(crate) windows: Vec<WindowRow>,
    /// Of the windows that have one.
    pub(crate) labels: HashMap<WindowStart, Label>,
    pub(crate) diagnoses: Vec<DiagnosisRecord>,
}

/// Of the pair that the extent names.
pub(crate) fn read(reader: &dyn Reader, extent: &Extent, rules: &DiagnosisRules) -> Result<PairHistory, Refusal> {
    let filter = Filter {
        client_id: extent.client_id.clone(),
        target: extent.target.clone(),
        from_ms: Some(extent.from_ms),
        to_ms: Some(extent.to_ms),
        label: None,
    };
    let mut rows = all(&filter, |query| reader.aggregates(query), AggregateRecord::position)?;
    let diagnoses = all(&filter, |query| reader.diagnoses(query), DiagnosisRecord::position)?;
    rows.extend(earlier(reader, filter, extent.from_ms, rules)?);
    rows.reverse();
    let labels = rows.iter().filter_map(|row| Some((row.window.start, row.diagnosis_label?))).collect();
    Ok(PairHistory { windows: rows.into_iter().map(|row| row.window).collect(), labels, diagnoses })
}

/// The latest windows with a success before a time, newest first: as many as a baseline takes, and as old as they may be.
fn earlier(
    reader: &dyn Reader,
    filter: Filter,
    from_ms: i64,
    rules: &DiagnosisRules,
) -> Result<Vec<AggregateRecord>, ReadError> {
    let oldest_ms = from_ms.saturating_sub(rules.baseline_max_age_ms);
    let filter = Filter { from_ms: Some(oldest_ms), to_ms: Some(from_ms), ..filter };
    let mut query = Query { filter, after: None, limit: u16::try_from(rules.baseline_windows).unwrap_or(PAGE) };
    let mut found = Vec::new();
    loop {
        let page = reader.aggregates(&query)?;
        query.after = page.items.last().map(AggregateRecord::position);
        query.limit = PAGE;
        found.extend(page.items.into_iter().filter(|row| row.window.count_success > 0));
        if found.len() >= rules.baseline_windows || !page.has_more {
            found.truncate(rules.baseline_windows);
            return Ok(found);
        }
    }
}

/// All pages, newest first.
fn all<T>(
    filter: &Filter,
    read: impl Fn(&Query<RowPosition>) -> Result<Page<T>, ReadError>,
    position: impl Fn(&T) -> RowPosition,
) -> Result<Vec<T>, Refusal> {
    let mut all = Vec::new();
    for page in pages(Query { filter: filter.clone(), after: None, limit: PAGE }, read, position) {
        all.extend(page?);
        if all.len() > MAX_ROWS {
            return Err(Refusal::invalid(format!("there are more than {MAX_ROWS} windows; narrow it with from or to")));
        }
    }
    Ok(all)
}
