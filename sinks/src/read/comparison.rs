//! The rows in which two stores differ.

use std::cmp::Ordering;
use std::ops::Range;

use netqoe_model::{LogTime, WindowRow, WindowStart};
use serde_json::{Value, json};

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

/// Compares the rows of windows that start within a range. `on_difference` is given, as JSON, each row that is final and
/// differs in the other store, or is missing there.
///
/// # Errors
/// Where a store can't be read, or `on_difference` fails.
pub fn compare<E: From<ReadError>>(
    replayed: &dyn Reader,
    live: &dyn Reader,
    windows: &Range<WindowStart>,
    mut on_difference: impl FnMut(Value) -> Result<(), E>,
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
    /// How. As JSON, since a name could look like the rest of a line.
    Different(Value),
}

/// Compares the rows of a window, where a store has one. Which log time a row reflects and when it was written are no part of
/// the result.
fn outcome(replayed: Option<&AggregateRecord>, live: Option<&AggregateRecord>) -> Outcome {
    let mut rows = replayed.into_iter().chain(live);
    let Some(any) = replayed.or(live).filter(|_| rows.all(|row| row.window.is_final)) else { return Outcome::NotFinal };
    let network_unknown = live.is_some_and(|row| row.window.network.is_none())
        && replayed.is_some_and(|row| row.window.network.is_some());
    let result = |row: &AggregateRecord| {
        let network = row.window.network.clone().filter(|_| !network_unknown);
        (WindowRow { as_of: LogTime::default(), network, ..row.window.clone() }, row.diagnosis_label)
    };
    let how = match (replayed, live) {
        (Some(replayed), Some(live)) if result(replayed) == result(live) => return Outcome::Equal { network_unknown },
        (Some(replayed), Some(live)) => format!("replayed {:?}, live {:?}", result(replayed), result(live)),
        (Some(_), None) => "only replayed".to_owned(),
        (None, _) => "only live".to_owned(),
    };
    Outcome::Different(json!({
        "client_id": any.client_id, "target": any.target, "window_start_ms": any.window.start.ms(), "difference": how,
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use netqoe_model::{Label, LogTime, Network};

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
            },
            diagnosis_label: Some(Label::Healthy),
            pair_state: None,
            updated_at_ms: as_of,
        }
    }

    #[test]
    fn only_final_results_are_compared() {
        let check = |replayed: Option<AggregateRecord>, live: Option<AggregateRecord>, says: &str| match outcome(
            replayed.as_ref(),
            live.as_ref(),
        ) {
            Outcome::Different(how) => {
                assert_eq!((&how["client_id"], &how["target"]), (&"c\u{202e}\n".into(), &"t".into()));
                assert_eq!(how["window_start_ms"], 60_000);
                assert!(how["difference"].as_str().unwrap().starts_with(says), "{how}");
            }
            outcome => assert_eq!(format!("{outcome:?}"), says),
        };
        check(Some(row(1, true, 5)), Some(row(1, true, 9)), "Equal { network_unknown: false }");
        check(Some(row(1, true, 5)), Some(row(2, true, 5)), "replayed");
        let healed = AggregateRecord { diagnosis_label: None, ..row(1, true, 5) };
        check(Some(row(1, true, 5)), Some(healed), "replayed");
        check(Some(row(1, true, 5)), Some(row(2, false, 5)), "NotFinal");
        check(Some(row(1, false, 5)), Some(row(1, false, 5)), "NotFinal");
        check(Some(row(1, true, 5)), None, "only replayed");
        check(None, Some(row(1, true, 5)), "only live");
        check(None, Some(row(1, false, 5)), "NotFinal");

        let over = |isp| {
            let mut row = row(1, true, 5);
            row.window.network = Network::named(None, Some(isp), None).map(Arc::new);
            row
        };
        check(Some(over("a")), Some(over("a")), "Equal { network_unknown: false }");
        check(Some(over("a")), Some(over("b")), "replayed");
        check(Some(over("a")), Some(row(1, true, 5)), "Equal { network_unknown: true }");
        check(Some(row(1, true, 5)), Some(over("a")), "replayed");
        check(Some(over("a")), Some(row(2, true, 5)), "replayed");
    }
}
