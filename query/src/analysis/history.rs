//! What the store holds of one pair in a range of time, and the pair's state before it.

use std::collections::{HashMap, HashSet};

use netqoe_dataflow::judge::PairState;
use netqoe_model::{Label, Rules, WindowRow, WindowStart};
use netqoe_sinks::read::{AggregateRecord, DiagnosisRecord, Extent, Filter, Page, Query, ReadError, RowPosition, Rows};

use crate::answer::Refusal;
use crate::pages::pages;

/// Rows that are read at once.
const PAGE: u16 = 10_000;

/// More than three months of minutes.
const MAX_ROWS: usize = 150_000;

/// The windows of one pair, oldest first, and what hurt in them, newest first.
#[derive(Debug)]
pub(crate) struct PairHistory {
    /// What the first window was judged by.
    pub(crate) before: PairState,
    pub(crate) windows: Vec<WindowRow>,
    /// Of the windows that have one.
    pub(crate) labels: HashMap<WindowStart, Label>,
    pub(crate) diagnoses: Vec<DiagnosisRecord>,
    /// Windows that were corrected since they are final.
    pub(crate) corrected: HashSet<WindowStart>,
}

/// Of the pair that the extent names.
pub(crate) fn read(store: &dyn Rows, extent: &Extent, rules: &Rules) -> Result<PairHistory, Refusal> {
    let filter = Filter {
        client_id: extent.client_id.clone(),
        target: extent.target.clone(),
        from_ms: Some(extent.from_ms),
        to_ms: Some(extent.to_ms),
        ..Filter::default()
    };
    let mut rows = all(&filter, |query| store.aggregates(query), AggregateRecord::position)?;
    let diagnoses = all(&filter, |query| store.diagnoses(query), DiagnosisRecord::position)?;
    rows.reverse();
    let labels = rows.iter().filter_map(|row| Some((row.window.start, row.diagnosis_label?))).collect();
    let corrected = rows.iter().filter(|row| row.revision > 0).map(|row| row.window.start).collect();
    let windows = rows.into_iter().map(|row| row.window).collect();
    Ok(PairHistory {
        before: state_before(store, filter, extent.from_ms, rules)?,
        windows,
        labels,
        diagnoses,
        corrected,
    })
}

/// The pair's state before a time, as the pipeline would read it back: from the newest state that a row carries, and the
/// rows after that; from nothing where the pair was not measured for longer than its history reaches, or where there is
/// no such state among the newest rows.
fn state_before(store: &dyn Rows, filter: Filter, from_ms: i64, rules: &Rules) -> Result<PairState, ReadError> {
    let filter = Filter { from_ms: None, to_ms: Some(from_ms), ..filter };
    let newest = store.aggregates(&Query { filter, after: None, limit: rules.diagnosis.rows_without_state() })?;
    let (tag, reach_ms) = (rules.diagnosis.state_tag(), rules.diagnosis.usual.reach_ms());
    let (mut stored, mut rows) = (None, Vec::<WindowRow>::new());
    for AggregateRecord { window, pair_state, .. } in newest.items {
        if rows.last().is_some_and(|later| later.start.ms() - window.start.ms() > reach_ms) {
            break;
        }
        stored = pair_state.filter(|state| state.starts_with(&tag));
        if stored.is_some() {
            break;
        }
        rows.push(window);
    }
    Ok(PairState::restore(stored.as_deref(), rows.iter().rev(), rules))
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
