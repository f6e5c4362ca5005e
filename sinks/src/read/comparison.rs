//! The rows in which two stores differ.

use std::cmp::Ordering;
use std::ops::Range;

use netqoe_model::{ErrorStage, Metric, WindowStart, from_thousandths};

use super::{AggregateRecord, Filter, Query, ReadError, Reader, RowPosition};

/// Rows that are read at a time.
const PAGE_ROWS: u16 = 1_000;

/// What came of comparing two stores, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Final in both, and the same.
    pub equal: u64,
    /// Those of them whose network the live store does not know, and the replayed one does: a netqoe wrote them that kept none.
    pub network_unknown: u64,
    /// Final in both and different, or final in one and missing in the other.
    pub different: u64,
    /// Not final in a store that has it, so that nothing can be said of it yet.
    pub not_final: u64,
}

/// A row that is final and differs in the other store, or is missing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferentRow {
    /// Of the pair.
    pub client_id: String,
    /// Of the pair.
    pub target: String,
    /// Of the window.
    pub start: WindowStart,
    /// The columns that differ; none where one store lacks the row.
    pub columns: Vec<DifferentColumn>,
    /// The store that lacks the row, where one does.
    pub missing: Option<Missing>,
}

/// A column in which two rows differ. Its values are as the store has them; none is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferentColumn {
    /// As in the store.
    pub name: String,
    /// In the row that was replayed.
    pub replayed: Option<String>,
    /// In the row of the live store.
    pub live: Option<String>,
}

/// Which of two stores lacks a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The row is in the live store only.
    Replayed,
    /// The row was only replayed.
    Live,
}

/// Compares the rows of windows that start within a range, and hands each that differs to `on_difference`.
///
/// # Errors
/// Where a store can't be read, or `on_difference` fails.
pub fn compare<E: From<ReadError>>(
    replayed: &dyn Reader,
    live: &dyn Reader,
    windows: &Range<WindowStart>,
    mut on_difference: impl FnMut(DifferentRow) -> Result<(), E>,
) -> Result<Compared, E> {
    let mut compared = Compared::default();
    side_by_side(replayed, live, windows, |mine, theirs| -> Result<(), E> {
        match outcome(mine, theirs) {
            Outcome::Equal { network_unknown } => {
                compared.equal += 1;
                compared.network_unknown += u64::from(network_unknown);
            }
            Outcome::NotFinal => compared.not_final += 1,
            Outcome::Different(how) => {
                on_difference(how)?;
                compared.different += 1;
            }
        }
        Ok(())
    })?;
    Ok(compared)
}

/// Hands over the rows of windows that start within a range, newest window first: those of the same window of the same pair
/// together, and one alone where only one store has it.
///
/// # Errors
/// Where a store can't be read, or `each` fails.
pub fn side_by_side<E: From<ReadError>>(
    one: &dyn Reader,
    other: &dyn Reader,
    windows: &Range<WindowStart>,
    mut each: impl FnMut(Option<&AggregateRecord>, Option<&AggregateRecord>) -> Result<(), E>,
) -> Result<(), E> {
    let open = |reader| Rows { reader, windows, page: Vec::new().into_iter(), after: None, has_more: true };
    let (mut one, mut other) = (open(one), open(other));
    let (mut mine, mut theirs) = (one.next()?, other.next()?);
    loop {
        // Pages go from greater to smaller.
        let order = match (&mine, &theirs) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (Some(mine), Some(theirs)) => mine.position().cmp(&theirs.position()),
        };
        each(mine.as_ref().filter(|_| order.is_ge()), theirs.as_ref().filter(|_| order.is_le()))?;
        if order.is_ge() {
            mine = one.next()?;
        }
        if order.is_le() {
            theirs = other.next()?;
        }
    }
}

/// The rows of a store, newest window first.
struct Rows<'a> {
    reader: &'a dyn Reader,
    windows: &'a Range<WindowStart>,
    page: std::vec::IntoIter<AggregateRecord>,
    after: Option<RowPosition>,
    has_more: bool,
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<AggregateRecord>, ReadError> {
        if self.page.len() == 0 && self.has_more {
            let filter = Filter {
                from_ms: Some(self.windows.start.ms()),
                to_ms: Some(self.windows.end.ms()),
                ..Filter::default()
            };
            let query = Query { filter, after: self.after.take(), limit: PAGE_ROWS };
            let page = self.reader.ask(|store| store.rows.aggregates(&query))?;
            self.has_more = page.has_more;
            self.after = page.items.last().map(AggregateRecord::position);
            self.page = page.items.into_iter();
        }
        Ok(self.page.next())
    }
}

/// What two rows of the same window say of each other.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Equal {
        network_unknown: bool,
    },
    /// One of them is not done yet.
    NotFinal,
    Different(DifferentRow),
}

/// Compares the rows of a window, where a store has one. Which log time a row reflects and when it was written are no part of
/// the result.
fn outcome(replayed: Option<&AggregateRecord>, live: Option<&AggregateRecord>) -> Outcome {
    let mut rows = replayed.into_iter().chain(live);
    let Some(any) = replayed.or(live).filter(|_| rows.all(|row| row.window.is_final)) else { return Outcome::NotFinal };
    let network_unknown = live.is_some_and(|row| row.window.network.is_none())
        && replayed.is_some_and(|row| row.window.network.is_some());
    let different = |columns, missing| {
        let (client_id, target) = (any.client_id.clone(), any.target.clone());
        Outcome::Different(DifferentRow { client_id, target, start: any.window.start, columns, missing })
    };
    match (replayed, live) {
        (Some(replayed), Some(live)) => {
            let columns = different_columns(replayed, live, network_unknown);
            if columns.is_empty() { Outcome::Equal { network_unknown } } else { different(columns, None) }
        }
        (Some(_), None) => different(Vec::new(), Some(Missing::Live)),
        (None, _) => different(Vec::new(), Some(Missing::Replayed)),
    }
}

fn different_columns(
    replayed: &AggregateRecord,
    live: &AggregateRecord,
    network_unknown: bool,
) -> Vec<DifferentColumn> {
    let both = columns(replayed, network_unknown).into_iter().zip(columns(live, network_unknown));
    let different = both.filter(|((_, replayed), (_, live))| replayed != live);
    different.map(|((name, replayed), (_, live))| DifferentColumn { name, replayed, live }).collect()
}

/// The columns of a row that are a part of the result, with their values.
fn columns(row: &AggregateRecord, without_network: bool) -> Vec<(String, Option<String>)> {
    let window = &row.window;
    let mut columns = vec![("count_success".to_owned(), Some(window.count_success.to_string()))];
    for stage in ErrorStage::ALL {
        columns.push((format!("{}_error_count", stage.as_str()), Some(window.errors_at(stage).to_string())));
    }
    for metric in Metric::ALL {
        let shown = |thousandths| from_thousandths(thousandths).to_string();
        let (p50, p95) = window.of(metric).map(|found| (shown(found.p50), shown(found.p95))).unzip();
        columns.extend([(format!("{}_p50", metric.as_str()), p50), (format!("{}_p95", metric.as_str()), p95)]);
    }
    columns.push(("diagnosis_label".to_owned(), row.diagnosis_label.map(|label| label.as_str().to_owned())));
    if !without_network {
        let names = window.network.as_ref().map(|network| network.names()).unwrap_or_default();
        let named = ["network_type", "isp", "site"].into_iter().zip(names);
        columns.extend(named.map(|(column, name)| (column.to_owned(), name.map(str::to_owned))));
    }
    let labels = window.tags.as_ref().map(|tags| tags.json()).unwrap_or_default();
    let labels = ["client_labels", "target_labels"].into_iter().zip(labels);
    columns.extend(labels.map(|(column, json)| (column.to_owned(), json.map(str::to_owned))));
    columns
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netqoe_model::{Label, LogTime, Network, PairTags, Percentiles, Tags, WindowRow};

    use super::*;

    fn row(count_success: u32, is_final: bool, as_of: i64) -> AggregateRecord {
        AggregateRecord {
            client_id: "c\u{202e}\n".to_owned(),
            target: "t".to_owned(),
            window: WindowRow {
                start: WindowStart::from_ms(60_000),
                is_final,
                as_of: LogTime::from_ms(as_of),
                count_success,
                errors: [0; 5],
                percentiles: [None; 5],
                network: None,
                tags: None,
            },
            diagnosis_label: Some(Label::Healthy),
            pair_state: None,
            revision: 0,
            updated_at_ms: as_of,
        }
    }

    /// What differs, each as `column: replayed, live`; of other outcomes, which one it is.
    #[track_caller]
    fn check(replayed: Option<&AggregateRecord>, live: Option<&AggregateRecord>, expected: &[&str]) {
        let said = match outcome(replayed, live) {
            Outcome::Different(row) => {
                assert_eq!((&*row.client_id, &*row.target, row.start.ms()), ("c\u{202e}\n", "t", 60_000));
                let missing = row.missing.map(|store| format!("missing: {store:?}"));
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                let column = |column: &DifferentColumn| {
                    format!("{}: {}, {}", column.name, value(&column.replayed), value(&column.live))
                };
                row.columns.iter().map(column).chain(missing).collect()
            }
            outcome => vec![format!("{outcome:?}")],
        };
        assert_eq!(said, expected);
    }

    const EQUAL: &[&str] = &["Equal { network_unknown: false }"];

    #[test]
    fn only_final_results_are_compared() {
        check(Some(&row(1, true, 5)), Some(&row(1, true, 9)), EQUAL);
        check(Some(&row(1, true, 5)), Some(&row(2, true, 5)), &["count_success: 1, 2"]);
        check(Some(&row(1, true, 5)), Some(&row(2, false, 5)), &["NotFinal"]);
        check(Some(&row(1, false, 5)), Some(&row(1, false, 5)), &["NotFinal"]);
        check(Some(&row(1, true, 5)), None, &["missing: Live"]);
        check(None, Some(&row(1, true, 5)), &["missing: Replayed"]);
        check(None, Some(&row(1, false, 5)), &["NotFinal"]);
    }

    #[test]
    fn each_column_that_differs_is_named() {
        let healed = AggregateRecord { diagnosis_label: None, ..row(1, true, 5) };
        check(Some(&row(1, true, 5)), Some(&healed), &["diagnosis_label: healthy, -"]);
        let mut other = row(1, true, 5);
        other.window.errors = [0, 0, 3, 0, 0];
        other.window.percentiles[3] = Some(Percentiles { p50: 15_300, p95: 20_000 });
        check(Some(&row(1, true, 5)), Some(&other), &["tls_error_count: 0, 3", "ttfb_p50: -, 15.3", "ttfb_p95: -, 20"]);
    }

    #[test]
    fn a_network_counts_where_both_stores_keep_it() {
        let over = |isp| {
            let mut row = row(1, true, 5);
            row.window.network = Network::named(None, Some(isp), None).map(Arc::new);
            row
        };
        check(Some(&over("a")), Some(&over("a")), EQUAL);
        check(Some(&over("a")), Some(&over("b")), &["isp: a, b"]);
        check(Some(&over("a")), Some(&row(1, true, 5)), &["Equal { network_unknown: true }"]);
        check(Some(&row(1, true, 5)), Some(&over("a")), &["isp: -, a"]);
        check(Some(&over("a")), Some(&row(2, true, 5)), &["count_success: 1, 2"]);
    }

    #[test]
    fn labels_are_compared() {
        let with = |json| {
            let mut row = row(1, true, 5);
            row.window.tags = PairTags::of(Tags::parse(json).unwrap(), Tags::default()).map(Arc::new);
            row
        };
        check(Some(&with(r#"{"a":"b"}"#)), Some(&with(r#"{ "a":"b" }"#)), EQUAL);
        check(Some(&with(r#"{"a":"b"}"#)), Some(&with("{}")), &[r#"client_labels: {"a":"b"}, -"#]);
    }
}
