//! The connection, made again where it was lost.

use std::error::Error;
use std::time::Duration;

use postgres::error::{DbError, SqlState};
use postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::{Failure, PostgresOptions, retry, tls_fault};
use crate::StoreError;

/// How long data may stay unacknowledged before the connection counts as lost, where the URL does not say. The system's
/// default is a quarter of an hour.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection and what is needed to make another.
pub(crate) struct Link {
    /// The URL without its password.
    name: String,
    config: Config,
    connector: MakeRustlsConnect,
    client: Client,
    /// Whether the next use makes a new connection, although this one works: the server behind it takes no writes.
    leave: bool,
}

impl Link {
    /// Connects once.
    pub(crate) fn connect(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let mut address = Address::parse(url)?;
        complete(&mut address.config, options);
        let unprotected = |reason| StoreError::Tls { store: address.name.clone(), reason };
        let connector = address.protection.connector().map_err(unprotected)?;
        let mut config = Config::from(address.config);
        // Such as that a partition is there already.
        config.notice_callback(|notice| tracing::debug!("{notice}"));
        let client = config.connect(connector.clone()).map_err(|error| match tls_fault::reason(&error) {
            Some(reason) => unprotected(reason),
            None => StoreError::Connect { store: address.name.clone(), reason: describe(&error) },
        })?;
        Ok(Self { name: address.name, config, connector, client, leave: false })
    }

    /// The URL without its password.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The connection; a new one where the last was lost.
    pub(crate) fn client(&mut self) -> Result<&mut Client, postgres::Error> {
        if self.leave || self.client.is_closed() {
            self.client = self.another()?;
            self.leave = false;
        }
        Ok(&mut self.client)
    }

    /// A second connection to the same database.
    pub(crate) fn another(&self) -> Result<Client, postgres::Error> {
        self.config.connect(self.connector.clone())
    }

    /// What the user should know of a failure. After one that says that the server takes no writes, the next connection is a
    /// new one: names may lead to the new primary by then.
    pub(crate) fn error(&mut self, doing: &'static str, failure: Failure) -> StoreError {
        let may_pass = retry::may_pass(&failure);
        match failure {
            Failure::Store(error) => error,
            Failure::Content(what) => StoreError::Content { store: self.name().to_owned(), what },
            Failure::Postgres(error) if may_pass => {
                self.leave |= error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION);
                StoreError::Unavailable { store: self.name().to_owned(), doing, reason: describe(&error) }
            }
            Failure::Postgres(error) => {
                StoreError::Postgres { store: self.name().to_owned(), doing, reason: describe(&error) }
            }
        }
    }
}

/// Sets what the URL left open.
pub(crate) fn complete(config: &mut tokio_postgres::Config, options: &PostgresOptions) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.connect_timeout);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("netqoe");
    }
}

/// What to do, if the server's message does not say.
fn advice(said: &DbError) -> Option<&'static str> {
    Some(match *said.code() {
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            "the server takes no writes: it is a standby, or default_transaction_read_only is on; see that the URL leads to \
             the primary"
        }
        SqlState::DISK_FULL => "the server's disk is full: make room there",
        SqlState::TOO_MANY_CONNECTIONS => "see which programs hold them, or raise max_connections",
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION if said.message().contains("client certificate") => {
            tls_fault::NO_CLIENT_CERTIFICATE
        }
        SqlState::INSUFFICIENT_PRIVILEGE => "grant the role that right, or connect as the owner of the tables",
        _ => return None,
    })
}

/// An error in one line: what the server says where it says something, what is wrong with TLS, or else the chain of causes.
pub(crate) fn describe(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        let advice = advice(said).map_or_else(String::new, |advice| format!("; {advice}"));
        return format!("{} (SQLSTATE {}){advice}", said.message(), said.code().code());
    }
    if let Some(reason) = tls_fault::reason(error) {
        return reason;
    }
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
