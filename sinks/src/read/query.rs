//! What can be asked, and the pages that answer.

use netqoe_model::{Label, MAX_TIME_MS, TagValue, WindowStart};

use super::statement::Value;

/// Which rows are asked for. What is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this client.
    pub client_id: Option<String>,
    /// Of this target.
    pub target: Option<String>,
    /// From this time on, in Unix milliseconds: of the window's start, or of when a client was last seen.
    pub from_ms: Option<i64>,
    /// Before this time, in Unix milliseconds: of the window's start, or of when a client was first seen.
    pub to_ms: Option<i64>,
    /// With this label.
    pub label: Option<Label>,
    /// With each of these labels of their client and target.
    pub tags: Vec<TagValue>,
}

impl Filter {
    /// `from_ms` and `to_ms`, moved to where the times of rows begin and end.
    pub(super) fn times_ms(&self) -> [i64; 2] {
        [self.from_ms.unwrap_or(0), self.to_ms.unwrap_or(MAX_TIME_MS)].map(|ms| ms.clamp(0, MAX_TIME_MS))
    }

    /// The same as values of a statement.
    pub(super) fn range(&self) -> [Value; 2] {
        self.times_ms().map(Value::Time)
    }

    /// Whether a label is asked for, of a diagnosis or of clients and targets.
    pub(super) fn has_labels(&self) -> bool {
        self.label.is_some() || !self.tags.is_empty()
    }

    /// The label as stores write it.
    pub(super) fn label_text(&self) -> Option<String> {
        self.label.map(|label| label.as_str().to_owned())
    }
}

/// A question for one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<P> {
    /// Which rows.
    pub filter: Filter,
    /// The position of the last row of the page before; `None` asks for the first page.
    pub after: Option<P>,
    /// How many rows at most.
    pub limit: u16,
}

/// Where a row of `agg_1m` or `diagnoses` stands: its key, in the order of the pages. Ordered as time goes, so pages
/// go from greater to smaller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowPosition {
    /// First millisecond of its window.
    pub window_start: WindowStart,
    /// Its client.
    pub client_id: String,
    /// Its target.
    pub target: String,
}

/// Some of the rows that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Not more than were asked for.
    pub items: Vec<T>,
    /// Whether there are rows after the last of `items`.
    pub has_more: bool,
}

impl Query<RowPosition> {
    /// The filter's times, no later than the position: stores find partitions and pages by times alone.
    pub(super) fn times_ms(&self) -> [i64; 2] {
        let [from_ms, to_ms] = self.filter.times_ms();
        let after_ms = self.after.as_ref().map_or(MAX_TIME_MS, |after| after.window_start.ms().saturating_add(1));
        [from_ms, to_ms.min(after_ms.clamp(0, MAX_TIME_MS))]
    }

    /// The same as values of a statement.
    pub(super) fn range(&self) -> [Value; 2] {
        self.times_ms().map(Value::Time)
    }
}

impl<P> Query<P> {
    /// One row more than asked for, which tells whether there are more.
    pub(super) fn fetch_limit(&self) -> Value {
        Value::Count(i64::from(self.limit) + 1)
    }

    /// The page that these rows make, which are up to [`Query::fetch_limit`].
    pub(super) fn page<T>(&self, items: Vec<T>) -> Page<T> {
        Page::of(items, self.limit)
    }
}

impl<T> Page<T> {
    /// The page that these rows make: one more than the limit says that there are more.
    pub(super) fn of(mut items: Vec<T>, limit: u16) -> Self {
        let has_more = items.len() > usize::from(limit);
        items.truncate(usize::from(limit));
        Self { items, has_more }
    }
}
