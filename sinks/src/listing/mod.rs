//! All incidents of a store, one after the other: for commands, which may take their time. Nothing is written, and of the
//! store only one incident with its members is in memory.

mod postgres;
mod sqlite;

use netqoe_model::IncidentState;

use crate::{PostgresOptions, StoreError, StoreUrl};

/// Which incidents are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListedRange {
    /// Only those that were not over at this time, in Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Only those that began before this time.
    pub to_ms: Option<i64>,
    /// Only those in this state.
    pub state: Option<IncidentState>,
}

/// An incident as a store keeps it. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedIncident {
    /// Which one.
    pub id: String,
    /// What its pairs suffer from.
    pub label: String,
    /// What its pairs have in common.
    pub cause_dimension: String,
    /// The value of that: two texts where two dimensions are joined, none for everything.
    pub cause_value: Vec<String>,
    /// The first window with evidence.
    pub opened_ms: i64,
    /// The log time at which it was first told.
    pub detected_ms: i64,
    /// The log time at which it got its cause and label.
    pub named_ms: i64,
    /// Its end, once it is over.
    pub closed_ms: Option<i64>,
    /// How bad it is or was at last.
    pub severity: String,
    /// `open`, `closed` or `withdrawn`.
    pub state: String,
    /// Client and target of each pair that had its label while it was open, in order.
    pub members: Vec<(String, String)>,
}

/// Told of each incident; what it fails with ends the listing.
type OnIncident<'a, E> = &'a mut dyn FnMut(ListedIncident) -> Result<(), E>;

impl StoreUrl {
    /// Hands the incidents of a store to `each`, by when they began and then by id, from one state of the store.
    ///
    /// # Errors
    /// Where the store can't be read, or has no incidents since an older netqoe has made it; and what `each` fails with.
    pub fn list_incidents<E: From<StoreError>>(
        &self,
        options: &PostgresOptions,
        range: &ListedRange,
        each: OnIncident<'_, E>,
    ) -> Result<(), E> {
        match self {
            Self::Sqlite(path) => sqlite::list(path, range, each),
            Self::Postgres(url) => postgres::list(url, options, range, each),
        }
    }
}

/// The texts of a cause, which stand in the store as a JSON list.
fn cause_value(store: &str, json: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json)
        .map_err(|_| StoreError::Content { store: store.to_owned(), what: format!("the cause {json}") })
}
