//! The rows in which two stores differ.

use std::cmp::Ordering;
use std::ops::Range;

use anyhow::Context;
use netqoe_model::{WindowRow, WindowStart};
use netqoe_sinks::read::{AggregateRecord, Filter, PostgresReader, Query, Reader, SqliteReader};
use netqoe_sinks::{PostgresOptions, StoreUrl};
use tokio::runtime::Runtime;

/// Rows that are read at a time.
const PAGE_ROWS: u16 = 1_000;

/// Prints each row that is final in either store and differs in the other, or is missing there; how many those are.
pub(super) fn print(
    (replayed, live): (&StoreUrl, &StoreUrl),
    options: &PostgresOptions,
    windows: Range<WindowStart>,
    runtime: &Runtime,
) -> anyhow::Result<u64> {
    let open = |url: &StoreUrl| -> anyhow::Result<Rows> {
        let reader = reader(url, options, runtime).with_context(|| format!("can't read {url}"))?;
        Ok(Rows { reader, windows: windows.clone(), page: Vec::new().into_iter(), after: None, has_more: true })
    };
    let (mut replayed, mut live) = (open(replayed)?, open(live)?);
    let (mut mine, mut theirs) = (replayed.next()?, live.next()?);
    let mut differences = 0;
    loop {
        // Pages go from greater to smaller.
        let order = match (&mine, &theirs) {
            (None, None) => return Ok(differences),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (Some(mine), Some(theirs)) => mine.position().cmp(&theirs.position()),
        };
        let (a, b) = (mine.take_if(|_| order.is_ge()), theirs.take_if(|_| order.is_le()));
        if let Some(difference) = difference(a.as_ref(), b.as_ref()) {
            println!("{difference}");
            differences += 1;
        }
        if a.is_some() {
            mine = replayed.next()?;
        }
        if b.is_some() {
            theirs = live.next()?;
        }
    }
}

fn reader(url: &StoreUrl, options: &PostgresOptions, runtime: &Runtime) -> anyhow::Result<Box<dyn Reader>> {
    Ok(match url {
        StoreUrl::Sqlite(path) => Box::new(SqliteReader::open(path)?),
        StoreUrl::Postgres(url) => {
            Box::new(runtime.block_on(PostgresReader::connect(url, options, runtime.handle().clone()))?)
        }
    })
}

/// The rows of a store, newest window first.
struct Rows {
    reader: Box<dyn Reader>,
    windows: Range<WindowStart>,
    page: std::vec::IntoIter<AggregateRecord>,
    after: Option<netqoe_sinks::read::RowPosition>,
    has_more: bool,
}

impl Rows {
    fn next(&mut self) -> anyhow::Result<Option<AggregateRecord>> {
        if self.page.len() == 0 && self.has_more {
            let filter = Filter {
                from_ms: Some(self.windows.start.ms()),
                to_ms: Some(self.windows.end.ms()),
                ..Filter::default()
            };
            let page = self.reader.aggregates(&Query { filter, after: self.after.take(), limit: PAGE_ROWS })?;
            self.has_more = page.has_more;
            self.after = page.items.last().map(AggregateRecord::position);
            self.page = page.items.into_iter();
        }
        Ok(self.page.next())
    }
}

/// What is different, in a line. A row that is final in neither store is not done yet; which log time a row reflects and
/// when it was written are no part of the result.
fn difference(replayed: Option<&AggregateRecord>, live: Option<&AggregateRecord>) -> Option<String> {
    let any = replayed.or(live)?;
    let is_final = |row: Option<&AggregateRecord>| row.is_some_and(|row| row.window.is_final);
    let name = || format!("{} {} {}", any.client_id, any.target, any.window.start);
    match (replayed, live) {
        (Some(replayed), Some(live)) => {
            let both_final = is_final(Some(replayed)) && is_final(Some(live));
            let result = |row: &AggregateRecord| {
                (WindowRow { as_of: netqoe_model::LogTime::default(), ..row.window.clone() }, row.diagnosis_label)
            };
            let differ = both_final && result(replayed) != result(live);
            differ.then(|| format!("{}: replayed {:?}, live {:?}", name(), result(replayed), result(live)))
        }
        (Some(_), None) => is_final(replayed).then(|| format!("{}: only replayed", name())),
        (None, _) => is_final(live).then(|| format!("{}: only live", name())),
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::{Label, LogTime};

    use super::*;

    fn row(count_success: u32, is_final: bool, as_of: i64) -> AggregateRecord {
        AggregateRecord {
            client_id: "c".to_owned(),
            target: "t".to_owned(),
            window: WindowRow {
                start: WindowStart::from_ms(60_000),
                is_final,
                as_of: LogTime::from_ms(as_of),
                count_success,
                errors: [0; 5],
                percentiles: [None; 5],
            },
            diagnosis_label: Some(Label::Healthy),
            updated_at_ms: as_of,
        }
    }

    #[test]
    fn only_final_results_are_compared() {
        let says = |a: Option<AggregateRecord>, b: Option<AggregateRecord>| difference(a.as_ref(), b.as_ref());
        assert_eq!(says(Some(row(1, true, 5)), Some(row(1, true, 9))), None);
        assert!(says(Some(row(1, true, 5)), Some(row(2, true, 5))).unwrap().starts_with("c t 60000: replayed"));
        assert_eq!(says(Some(row(1, true, 5)), Some(row(2, false, 5))), None);
        let healed = AggregateRecord { diagnosis_label: None, ..row(1, true, 5) };
        assert!(says(Some(row(1, true, 5)), Some(healed)).is_some());
        assert_eq!(says(Some(row(1, true, 5)), None).unwrap(), "c t 60000: only replayed");
        assert_eq!(says(None, Some(row(1, true, 5))).unwrap(), "c t 60000: only live");
        assert_eq!(says(None, Some(row(1, false, 5))), None);
    }
}
