//! The connection, made again where it was lost.

use std::error::Error;
use std::time::Duration;

use postgres::{Client, Config, NoTls};

use super::Failure;
use crate::StoreError;
use crate::url::without_password;

/// How long to wait for a server to answer at all, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long data may stay unacknowledged before the connection counts as lost, where the URL does not say. The system's
/// default is a quarter of an hour.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection and what is needed to make another.
pub(super) struct Link {
    config: Config,
    client: Client,
    /// The URL without its password.
    name: String,
}

impl Link {
    /// Connects once.
    pub(super) fn connect(url: &str) -> Result<Self, StoreError> {
        let name = without_password(url);
        let mut config: Config = url
            .parse()
            .map_err(|error: postgres::Error| StoreError::Url { given: name.clone(), reason: describe(&error) })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("netqoe");
        }
        let client = config
            .connect(NoTls)
            .map_err(|error| StoreError::Connect { store: name.clone(), reason: describe(&error) })?;
        Ok(Self { config, client, name })
    }

    /// The URL without its password.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The connection; a new one where the last was lost.
    pub(super) fn client(&mut self) -> Result<&mut Client, postgres::Error> {
        if self.client.is_closed() {
            self.client = self.config.connect(NoTls)?;
        }
        Ok(&mut self.client)
    }

    /// A second connection to the same database.
    pub(super) fn another(&self) -> Result<Client, postgres::Error> {
        self.config.connect(NoTls)
    }

    /// What the user should know of a failure.
    pub(super) fn error(&self, doing: &'static str, failure: Failure) -> StoreError {
        match failure {
            Failure::Store(error) => error,
            Failure::Postgres(error) => {
                StoreError::Postgres { store: self.name.clone(), doing, reason: describe(&error) }
            }
        }
    }
}

/// An error in one line: what the server says where it says something, or else the chain of causes.
pub(super) fn describe(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
