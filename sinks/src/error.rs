//! Errors of a store, as the user reads them.
//!
//! Decision: D-066.

use std::path::PathBuf;

use netqoe_model::Generation;

/// Why a store can't do what it was asked. Each message is one line: what happened, where, what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The text does not name a known kind of store.
    #[error("`{given}` names no store: {reason}; write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Url {
        /// The text, without what may be a password.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server can't be reached, or does not let us in.
    #[error(
        "can't connect to {store}: {reason}; check that the server runs, and the URL's user, password and database"
    )]
    Connect {
        /// The URL without its password.
        store: String,
        /// What the server or the network says.
        reason: String,
    },
    /// The connection can't be protected as the URL asks for it.
    #[error("can't set up TLS with {store}: {reason}")]
    Tls {
        /// The URL without its password.
        store: String,
        /// What is wrong with the server or a file, and what to do about it.
        reason: String,
    },
    /// The file or its folder can't be opened or written.
    #[error("can't open or write the store {path}: {reason}; check that the folder exists and may be written")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A replay that builds a file has nothing to return to.
    #[error("the store {path} was not built: {reason}; replay again once that is mended")]
    BrokenOff {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// Another replay is making the same file.
    #[error("another netqoe is building the store {path}; wait for it, or choose another file")]
    BeingBuilt {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a SQLite database, or a damaged one.
    #[error(
        "the store {path} is damaged or no SQLite database: {reason}; move it away and replay the log into a new one"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A newer netqoe has written to this store.
    #[error(
        "the store {store} has schema version {found}, this netqoe knows versions up to {known}; use the newer netqoe"
    )]
    Newer {
        /// The path, or the URL without its password.
        store: String,
        /// The version that the store has.
        found: i32,
        /// The newest version that this binary knows.
        known: i32,
    },
    /// An older netqoe has written to this store, and it is not to be changed.
    #[error(
        "the store {store} has schema version {found}, and this netqoe reads version {known}; run `netqoe migrate \
         --database-url {store}` on it, or on a copy of it"
    )]
    Older {
        /// The path, or the URL without its password.
        store: String,
        /// The version that the store has.
        found: i32,
        /// The version that is read.
        known: i32,
    },
    /// There are no tables of a store.
    #[error("{store} holds no store of netqoe; name one that `netqoe up`, `aggregate` or `replay` has written")]
    NotOurs {
        /// The path, or the URL without its password.
        store: String,
    },
    /// A file that is only to be read can't be opened.
    #[error("can't read the store {path}: {reason}; check that it is there and that netqoe may read it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The schema can't be made, or is not what its version says.
    #[error("the schema of the store {store} can't be brought up to date: {reason}")]
    Schema {
        /// The path, or the URL without its password.
        store: String,
        /// What is wrong.
        reason: String,
    },
    /// The store holds the results of another log.
    #[error(
        "the store {store} holds results of log `{held}` ({held_partitions} partitions), not of log `{given}` \
         ({given_partitions} partitions); use a store of its own for each log, and for each replay"
    )]
    OtherLog {
        /// The path, or the URL without its password.
        store: String,
        /// The log whose results it holds.
        held: String,
        /// The partitions of that log.
        held_partitions: u16,
        /// The log that was to be written.
        given: String,
        /// The partitions of that one.
        given_partitions: u16,
    },
    /// Another process has taken over the store.
    #[error(
        "this process has generation {ours} of the store {store}, which was taken over by generation {current}{}; \
         nothing was written, and this process must end",
        of_whom(opened_by.as_deref())
    )]
    Fenced {
        /// The path, or the URL without its password.
        store: String,
        /// The generation that was refused.
        ours: i64,
        /// The generation that may write.
        current: i64,
        /// The process that opened it, if that is known.
        opened_by: Option<String>,
    },
    /// A cause that passes, or can be removed while netqoe waits.
    #[error("the store {store} can't {doing} for now: {reason}")]
    Unavailable {
        /// The path, or the URL without its password.
        store: String,
        /// What was to be done.
        doing: &'static str,
        /// What is in the way, and what to do about it.
        reason: String,
    },
    /// A database whose encoding cannot represent all names.
    #[error(
        "the database of {store} has the encoding {encoding}, in which not every name can be written; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding {
        /// The URL without its password.
        store: String,
        /// What the server calls it.
        encoding: String,
    },
    /// The role may not do what writing needs.
    #[error("the role {role} of {store} lacks rights: {lacking}; {advice}")]
    Rights {
        /// The URL without its password.
        store: String,
        /// The role of the connection.
        role: String,
        /// The missing right.
        lacking: String,
        /// What to do.
        advice: String,
    },
    /// The connection broke and did not come back.
    #[error("the store {store} could not be written in {attempts} attempts: {reason}; check the server")]
    Lost {
        /// The URL without its password.
        store: String,
        /// How often the commit was tried.
        attempts: usize,
        /// What the last attempt met.
        reason: String,
    },
    /// The store holds a value that netqoe never writes.
    #[error("the store {store} holds {what}, which netqoe does not write; replay the log into a new store")]
    Content {
        /// The path, or the URL without its password.
        store: String,
        /// Where and what.
        what: String,
    },
    /// SQLite refuses a statement.
    #[error("the store {path} failed to {doing}: {reason}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What SQLite says.
        reason: String,
    },
    /// PostgreSQL refuses a statement.
    #[error("the store {store} failed to {doing}: {reason}")]
    Postgres {
        /// The URL without its password.
        store: String,
        /// What was to be done.
        doing: &'static str,
        /// What the server says.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same may succeed later without a restart of netqoe.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Lost { .. })
    }

    /// The message without the store's place, for clients that must not learn it.
    pub fn without_place(&self) -> String {
        match self {
            Self::Unavailable { doing, reason, .. } => format!("can't {doing} for now: {reason}"),
            Self::Lost { attempts, reason, .. } => format!("could not be written in {attempts} attempts: {reason}"),
            other => other.to_string(),
        }
    }

    /// Generation `ours` asks something of a store where `current` may write; 0 if it was never opened.
    pub(crate) fn fenced(store: String, ours: Generation, current: i64, opened_by: Option<String>) -> Self {
        Self::Fenced { store, ours: ours.0, current, opened_by }
    }
}

fn of_whom(opened_by: Option<&str>) -> String {
    opened_by.map_or_else(String::new, |opened_by| format!(" of {opened_by}"))
}
