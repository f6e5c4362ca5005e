//! The monthly partitions of `agg_1m`, made before the first row that needs them.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;
use netqoe_model::{MAX_TIME_MS, PartitionCommit};
use postgres::Client;

use super::{Failure, schema};

/// The partitions that are known to exist. Bounded by the calendar: times lie between 1970 and the year 10000, which
/// is fewer than 100,000 months.
#[derive(Debug, Default)]
pub(super) struct Months {
    known: BTreeSet<Month>,
}

impl Months {
    /// Makes the partitions that these rows need, in a transaction of their own: they may stay when the commit fails.
    pub(super) fn prepare(
        &mut self,
        client: &mut Client,
        settings: &str,
        partitions: &[PartitionCommit],
    ) -> Result<(), Failure> {
        let starts = partitions.iter().flat_map(|partition| &partition.rows).map(|row| row.window.start.ms());
        let missing = months_of(starts, &self.known);
        if missing.is_empty() {
            return Ok(());
        }
        let mut transaction = client.transaction()?;
        transaction.batch_execute(settings)?;
        schema::lock(&mut transaction)?;
        for month in &missing {
            transaction.batch_execute(&month.create())?;
        }
        transaction.commit()?;
        self.known.extend(missing);
        Ok(())
    }
}

/// The months of these times (Unix milliseconds) that are not among the known ones.
fn months_of(times: impl Iterator<Item = i64>, known: &BTreeSet<Month>) -> BTreeSet<Month> {
    let mut missing = BTreeSet::new();
    // Rows come with few distinct starts, one after the other.
    let mut last = None;
    for time in times {
        if last == Some(time) {
            continue;
        }
        last = Some(time);
        if let Some(month) = Month::of(time).filter(|month| !known.contains(month)) {
            missing.insert(month);
        }
    }
    missing
}

/// The times from the beginning of the month of the first to the end of the month of the last, which is exclusive in both.
pub(crate) fn whole_months([from_ms, to_ms]: [i64; 2]) -> [i64; 2] {
    let begin = Month::of(from_ms).and_then(Month::begin_ms);
    let end = Month::of(to_ms.saturating_sub(1)).map(Month::next).and_then(Month::begin_ms);
    [begin.unwrap_or(0), end.unwrap_or(MAX_TIME_MS)]
}

/// A month of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Month {
    year: i16,
    month: i8,
}

const DAY_MS: i64 = 86_400_000;

impl Month {
    /// The month of a time in Unix milliseconds, if it is before the year 10000.
    fn of(time_ms: i64) -> Option<Self> {
        // By days: a timestamp ends a day before the calendar does.
        let days = time_ms.div_euclid(DAY_MS);
        let date = Date::constant(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()?;
        Some(Self { year: date.year(), month: date.month() })
    }

    /// Its first millisecond, if it is before the year 10000.
    fn begin_ms(self) -> Option<i64> {
        let days = Date::constant(1970, 1, 1).until(Date::new(self.year, self.month, 1).ok()?).ok()?.get_days();
        Some(i64::from(days) * DAY_MS)
    }

    fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    /// Makes its partition where it is missing. Rows are written provisionally and again when they are final: room on
    /// the page keeps the second version next to the first, and vacuum comes earlier than by default.
    fn create(self) -> String {
        let Self { year, month } = self;
        let next = self.next();
        format!(
            "CREATE TABLE IF NOT EXISTS agg_1m_{year:04}_{month:02} PARTITION OF agg_1m
             FOR VALUES FROM ('{year:04}-{month:02}-01 00:00:00+00') TO ('{:04}-{:02}-01 00:00:00+00')
             WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05)",
            next.year, next.month
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_in_utc() {
        let january = Month { year: 2026, month: 1 };
        let december = Month { year: 2025, month: 12 };
        assert_eq!(Month::of(1_767_225_599_999), Some(december));
        assert_eq!(Month::of(1_767_225_600_000), Some(january));
        assert_eq!(december.next(), january);
        assert_eq!(Month::of(0), Some(Month { year: 1970, month: 1 }));
        assert_eq!(Month::of(netqoe_model::MAX_TIME_MS - 86_400_000), Some(Month { year: 9999, month: 12 }));
    }

    #[test]
    fn times_widen_to_whole_months() {
        let (december, january, february) = (1_764_547_200_000, 1_767_225_600_000, 1_769_904_000_000);
        assert_eq!(whole_months([december, january]), [december, january]);
        assert_eq!(whole_months([january - 1, january + 1]), [december, february]);
        assert_eq!(whole_months([0, MAX_TIME_MS]), [0, MAX_TIME_MS]);
    }

    #[test]
    fn only_missing_months_are_made() {
        let known = BTreeSet::from([Month { year: 2025, month: 12 }]);
        let times = [1_767_225_540_000, 1_767_225_600_000, 1_767_225_600_000, 0];
        let missing = months_of(times.into_iter(), &known);
        assert_eq!(missing, BTreeSet::from([Month { year: 1970, month: 1 }, Month { year: 2026, month: 1 }]));
    }
}
