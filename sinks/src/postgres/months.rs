//! The monthly partitions of `agg_1m`, made before the first row that needs them.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Span;
use jiff::civil::Date;
use netqoe_model::{MAX_TIME_MS, WindowStart};
use postgres::error::SqlState;
use postgres::{Client, Transaction};

use super::{Failure, schema};
use crate::StoreError;

/// The partitions that are known to exist. Bounded by the calendar: times lie between 1970 and the year 10000, which
/// is fewer than 100,000 months.
#[derive(Debug, Default)]
pub(super) struct Months {
    known: BTreeSet<Month>,
}

impl Months {
    /// Looks again, the next time: another process may have dropped one that was known.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Makes the partitions that these rows need, in a transaction of their own: they may stay when the commit fails. Where
    /// the role may not make any, the rows wait until the tables' owner has.
    pub(super) fn prepare(
        &mut self,
        store: &str,
        client: &mut Client,
        settings: &str,
        starts: impl Iterator<Item = WindowStart>,
    ) -> Result<(), Failure> {
        let missing = months_of(starts.map(WindowStart::ms), &self.known);
        if missing.is_empty() {
            return Ok(());
        }
        let mut transaction = client.transaction()?;
        transaction.batch_execute(settings)?;
        schema::lock(&mut transaction)?;
        match make(&mut transaction, missing.iter().copied()) {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                drop(transaction);
                return Err(not_allowed(store, &role(&mut client.transaction()?)?, &missing).into());
            }
            made => made?,
        };
        transaction.commit()?;
        self.known.extend(missing);
        Ok(())
    }
}

/// The role of the connection.
pub(super) fn role(transaction: &mut Transaction<'_>) -> Result<String, postgres::Error> {
    transaction.query_typed("SELECT current_user::text", &[])?[0].try_get(0)
}

fn not_allowed(store: &str, role: &str, missing: &BTreeSet<Month>) -> StoreError {
    let missing = missing.iter().map(Month::to_string).collect::<Vec<_>>().join(", ");
    StoreError::Unavailable {
        store: store.to_owned(),
        doing: "commit rows",
        reason: format!(
            "their monthly partition is not there ({missing}), and the role {role} may not make it: run `netqoe maintain` as \
             the owner of the tables"
        ),
    }
}

/// The newest month that has a partition.
pub(super) fn last(transaction: &mut Transaction<'_>) -> Result<Option<Month>, postgres::Error> {
    Ok(existing(transaction)?.last().copied())
}

/// Creates the missing partitions. Returns how many.
pub(super) fn make(
    transaction: &mut Transaction<'_>,
    months: impl Iterator<Item = Month>,
) -> Result<u64, postgres::Error> {
    let existing = existing(transaction)?;
    let mut made = 0;
    for month in months.filter(|month| !existing.contains(month)) {
        transaction.batch_execute(&month.create())?;
        made += 1;
    }
    Ok(made)
}

/// Drops the partitions of all months before this one. Returns how many.
pub(super) fn drop_before(transaction: &mut Transaction<'_>, oldest: Month) -> Result<u64, postgres::Error> {
    let mut dropped = 0;
    for month in existing(transaction)?.range(..oldest) {
        transaction.batch_execute(&format!("DROP TABLE {month}"))?;
        dropped += 1;
    }
    Ok(dropped)
}

/// The months that have a partition. Partitions with other names belong to others and are ignored.
fn existing(transaction: &mut Transaction<'_>) -> Result<BTreeSet<Month>, postgres::Error> {
    let names = "SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                 WHERE inhparent = 'agg_1m'::regclass";
    let rows = transaction.query_typed(names, &[])?;
    rows.iter().map(|row| row.try_get::<_, &str>(0)).filter_map(|name| name.map(Month::parse).transpose()).collect()
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
pub(super) struct Month {
    year: i16,
    month: i8,
}

const DAY_MS: i64 = 86_400_000;

impl Month {
    /// The month of a time in Unix milliseconds, if it is before the year 10000.
    pub(super) fn of(time_ms: i64) -> Option<Self> {
        // By days: a timestamp ends a day before the calendar does.
        let days = time_ms.div_euclid(DAY_MS);
        let date = Date::constant(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()?;
        Some(Self { year: date.year(), month: date.month() })
    }

    /// Its first millisecond, if it is before the year 10000.
    pub(super) fn begin_ms(self) -> Option<i64> {
        let days = Date::constant(1970, 1, 1).until(Date::new(self.year, self.month, 1).ok()?).ok()?.get_days();
        Some(i64::from(days) * DAY_MS)
    }

    fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    /// This month and the `count` months after it, as far as the calendar goes.
    pub(super) fn and_following(self, count: u16) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |month| Some(month.next()).filter(|next| next.year < 10_000))
            .take(usize::from(count) + 1)
    }

    /// The month whose partition has this name.
    fn parse(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix("agg_1m_")?.split_once('_')?;
        let parsed = Self { year: year.parse().ok()?, month: month.parse().ok()? };
        Some(parsed).filter(|month| month.to_string() == name)
    }

    /// Makes its partition. Rows are written provisionally and again when they are final: room on
    /// the page keeps the second version next to the first, and vacuum comes earlier than by default.
    fn create(self) -> String {
        let Self { year, month } = self;
        let next = self.next();
        format!(
            "CREATE TABLE {self} PARTITION OF agg_1m
             FOR VALUES FROM ('{year:04}-{month:02}-01 00:00:00+00') TO ('{:04}-{:02}-01 00:00:00+00')
             WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05)",
            next.year, next.month
        )
    }
}

/// The name of its partition.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agg_1m_{:04}_{:02}", self.year, self.month)
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
    fn a_partition_is_named_after_its_month() {
        let month = Month { year: 1970, month: 1 };
        assert_eq!(month.to_string(), "agg_1m_1970_01");
        assert_eq!(Month::parse("agg_1m_1970_01"), Some(month));
        for other in ["agg_1m", "agg_1m_old", "agg_1m_70_1", "agg_1m_1970_01_02", "agg_1m_+970_01"] {
            assert_eq!(Month::parse(other), None, "{other}");
        }
    }

    #[test]
    fn months_follow_each_other_to_the_end_of_the_calendar() {
        let december = Month { year: 2025, month: 12 };
        let following: Vec<_> = december.and_following(2).map(|month| month.to_string()).collect();
        assert_eq!(following, ["agg_1m_2025_12", "agg_1m_2026_01", "agg_1m_2026_02"]);
        assert_eq!(Month { year: 9999, month: 11 }.and_following(9).count(), 2);
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
