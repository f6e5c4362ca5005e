//! How a user names a store.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::postgres::address::Address;
use crate::{
    Annotations, Clock, Maintain, Outbox, PostgresAnnotations, PostgresOptions, PostgresStore, SqliteAnnotations,
    SqliteStore, Store, StoreError, WriteTurn,
};

/// The name of a store: `sqlite:PATH`, or `postgres://…`, `postgresql://…`. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file, made where it is missing.
    Sqlite(PathBuf),
    /// The whole URL of a PostgreSQL database, with its password.
    Postgres(String),
}

impl StoreUrl {
    /// Opens the store and brings its schema up to date. Nothing else in this process, such as the embedded log, may
    /// write to the same SQLite file. `clock` gives `updated_at`.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`] and [`PostgresStore::connect`].
    pub fn connect(&self, options: &PostgresOptions, clock: Clock) -> Result<Box<dyn Store>, StoreError> {
        match self {
            Self::Sqlite(path) => Ok(Box::new(SqliteStore::open(path, WriteTurn::default(), clock)?)),
            Self::Postgres(url) => Ok(Box::new(PostgresStore::connect(url, options, clock)?)),
        }
    }

    /// As [`StoreUrl::connect`], for a replay: a SQLite file that is not there yet is built aside, and is there once the
    /// replay is complete.
    ///
    /// # Errors
    /// Those of [`StoreUrl::connect`] and [`SqliteStore::build`].
    pub fn connect_for_replay(&self, options: &PostgresOptions, clock: Clock) -> Result<Box<dyn Store>, StoreError> {
        match self {
            Self::Sqlite(path) if !path.exists() => Ok(Box::new(SqliteStore::build(path, clock)?)),
            _ => self.connect(options, clock),
        }
    }

    /// Opens the store to keep it in order, and brings its schema up to date.
    ///
    /// # Errors
    /// Those of [`StoreUrl::connect`].
    pub fn connect_for_maintenance(&self, options: &PostgresOptions) -> Result<Box<dyn Maintain>, StoreError> {
        // Maintenance writes no row, so it needs no present to write into one.
        let no_clock: Clock = Arc::new(|| 0);
        match self {
            Self::Sqlite(path) => Ok(Box::new(SqliteStore::open(path, WriteTurn::default(), no_clock)?)),
            Self::Postgres(url) => Ok(Box::new(PostgresStore::connect(url, options, no_clock)?)),
        }
    }

    /// Where people write beside the process that writes rows. The store has its tables.
    ///
    /// # Errors
    /// Those of [`SqliteAnnotations::open`]; a server is connected to once something is written.
    pub fn annotations(&self, options: &PostgresOptions) -> Result<Arc<dyn Annotations>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteAnnotations::open(path, WriteTurn::default())?),
            Self::Postgres(url) => Arc::new(PostgresAnnotations::new(url, options)),
        })
    }
}

impl StoreUrl {
    /// Opens the store for the messages to receivers, and brings its schema up to date. `write_turn` is that of everything in
    /// this process that writes to the same SQLite file.
    ///
    /// # Errors
    /// Those of [`StoreUrl::connect`].
    pub fn connect_outbox(
        &self,
        options: &PostgresOptions,
        write_turn: WriteTurn,
    ) -> Result<Box<dyn Outbox>, StoreError> {
        // Messages bring their times with them.
        let no_clock: Clock = Arc::new(|| 0);
        match self {
            Self::Sqlite(path) => Ok(Box::new(SqliteStore::open_beside(path, write_turn, no_clock)?)),
            Self::Postgres(url) => Ok(Box::new(PostgresStore::connect(url, options, no_clock)?)),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let refuse = |reason: &str| StoreError::Url { given: without_password(text), reason: reason.to_owned() };
        if let Some(path) = text.strip_prefix("sqlite:") {
            if path.is_empty() {
                return Err(refuse("the path is missing"));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Address::parse(text)?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(refuse("it starts with neither `sqlite:` nor `postgres://`"))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

/// As shown, so that a password does not get into a log by way of a debug print.
impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL with `***` for the password between user and host, and without its query, which may hold one too.
pub(crate) fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // A password may hold an `@` or a `/` that should have been escaped: what is hidden reaches to the last `@`.
    let Some((login, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    match login.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds() {
        assert_eq!("sqlite:a b/c.db".parse::<StoreUrl>().unwrap(), StoreUrl::Sqlite("a b/c.db".into()));
        for url in [
            "postgres://u:p@h:5433/d",
            "postgresql://h",
            "postgres:///d?host=/run",
            "postgres://h/d?sslmode=verify-full&sslrootcert=/etc/ca%20of%20ours.pem&connect_timeout=3",
        ] {
            assert_eq!(url.parse::<StoreUrl>().unwrap(), StoreUrl::Postgres(url.to_owned()));
        }
    }

    #[test]
    fn refuses_the_rest_in_one_line() {
        for text in [
            "",
            "sqlite:",
            "mysql://u:secret@h/d",
            "a.db",
            "postgres://h:port/d?password=secret",
            "postgres://u:secret@h/d?sslmode=allow",
            "postgres://u:secret@h/d?sslmode",
        ] {
            let message = text.parse::<StoreUrl>().unwrap_err().to_string();
            assert!(message.contains("sqlite:PATH") && !message.contains('\n'), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn never_shows_a_password() {
        for (url, shown) in [
            ("postgres://u:secret@h:5433/d", "postgres://u:***@h:5433/d"),
            ("postgres://u:secret@:/secret@h/d", "postgres://u:***@h/d"),
            ("postgres://u@h/d?password=secret", "postgres://u@h/d"),
            ("postgres://h/d", "postgres://h/d"),
        ] {
            assert_eq!(StoreUrl::Postgres(url.to_owned()).to_string(), shown);
            assert_eq!(format!("{:?}", StoreUrl::Postgres(url.to_owned())), shown);
        }
    }
}
