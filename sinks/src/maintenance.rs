use std::fmt;

use crate::StoreError;

/// What to keep in a store, and what to prepare in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// The present, in Unix milliseconds.
    pub now_ms: i64,
    /// How long results are kept, in milliseconds. More than the rules reach back.
    pub retention_ms: i64,
    /// How many months after the present one have their partition before the first row comes.
    pub months_ahead: u16,
}

impl Maintenance {
    /// Results from before this time may be deleted, in Unix milliseconds.
    pub(crate) fn kept_from_ms(&self) -> i64 {
        self.now_ms.saturating_sub(self.retention_ms)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Monthly partitions made.
    pub months_made: u64,
    /// Monthly partitions dropped, with all of their rows.
    pub months_dropped: u64,
    /// Rows of `agg_1m` deleted one by one, in a store without partitions.
    pub rows_deleted: u64,
    /// Rows of `diagnoses` deleted.
    pub diagnoses_deleted: u64,
    /// Clients deleted that were not seen since.
    pub clients_deleted: u64,
    /// Dead letters deleted.
    pub dead_letters_deleted: u64,
    /// Incidents deleted that were over before then.
    pub incidents_deleted: u64,
}

impl Maintained {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Maintained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { months_made, months_dropped, rows_deleted, diagnoses_deleted, clients_deleted, .. } = self;
        write!(
            f,
            "monthly partitions: {months_made} made, {months_dropped} dropped; deleted: {rows_deleted} rows, \
             {diagnoses_deleted} diagnoses, {clients_deleted} clients, {} dead letters, {} incidents",
            self.dead_letters_deleted, self.incidents_deleted
        )
    }
}

/// A store whose growth can be bounded. It may be written and read meanwhile, also by another process.
pub trait Maintain: Send {
    /// Creates upcoming partitions and deletes rows past retention, a bounded number of rows at a time. Doing it twice, or
    /// in two processes at once, is the same as doing it once.
    ///
    /// # Errors
    /// If the store can't be written. What was done until then stays done.
    fn maintain(&mut self, maintenance: &Maintenance) -> Result<Maintained, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_in_words() {
        let done = Maintained { months_made: 3, months_dropped: 1, clients_deleted: 2, ..Maintained::default() };
        assert_eq!(
            done.to_string(),
            "monthly partitions: 3 made, 1 dropped; deleted: 0 rows, 0 diagnoses, 2 clients, 0 dead letters, 0 incidents"
        );
    }
}
