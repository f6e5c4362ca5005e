//! What a server that only reads a store must know before it begins: that the schema is the one that it reads, and how the
//! store's rows were divided.

mod postgres;
mod sqlite;

use std::num::NonZeroU16;

use crate::{PostgresOptions, StoreError, StoreUrl};

/// A store that can be served as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Partitions of the log that its rows come from; none before a first generation was opened.
    pub partitions: Option<NonZeroU16>,
}

impl StoreUrl {
    /// Looks at the store, and changes nothing: one with another schema is refused rather than brought up to date.
    ///
    /// # Errors
    /// [`StoreError::Older`], [`StoreError::Newer`], [`StoreError::NotOurs`], or why the store can't be read.
    pub fn look_at_served(&self, options: &PostgresOptions) -> Result<Served, StoreError> {
        match self {
            Self::Sqlite(path) => sqlite::look(path),
            Self::Postgres(url) => postgres::look(url, options),
        }
    }
}

/// Refuses a store whose schema is not the one that this netqoe reads. `found` is none where there is no schema of netqoe.
fn check_version(store: String, found: Option<i32>, known: i32) -> Result<(), StoreError> {
    match found {
        None => Err(StoreError::NotOurs { store }),
        Some(found) if found < known => Err(StoreError::Older { store, found, known }),
        Some(found) if found > known => Err(StoreError::Newer { store, found, known }),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schema_that_is_read_is_served() {
        let check = |found| check_version("sqlite:a.db".to_owned(), found, 9);
        check(Some(9)).unwrap();
        assert!(matches!(check(None), Err(StoreError::NotOurs { .. })));
        assert!(matches!(check(Some(10)), Err(StoreError::Newer { found: 10, known: 9, .. })));
        let message = check(Some(8)).unwrap_err().to_string();
        assert!(message.contains("netqoe migrate --database-url sqlite:a.db") && !message.contains('\n'), "{message}");
    }
}
