//! How a PostgreSQL store is used, as options. What its URL says comes first.

use std::time::Duration;

use clap::Args;
use netqoe_sinks::PostgresOptions;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "PostgreSQL")]
pub(crate) struct DatabaseOptions {
    /// How long to wait for a connection to each address of the server
    #[arg(long, env = "NETQOE_DB_CONNECT_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    db_connect_timeout: Duration,
    /// How long one statement of a commit may take; 0s: for ever
    #[arg(long, env = "NETQOE_DB_STATEMENT_TIMEOUT", default_value = "120s", value_parser = humantime::parse_duration)]
    db_statement_timeout: Duration,
    /// How long a commit may wait for a lock; 0s: for ever. A process that was stopped in a commit holds one for 30s
    #[arg(long, env = "NETQOE_DB_LOCK_TIMEOUT", default_value = "60s", value_parser = humantime::parse_duration)]
    db_lock_timeout: Duration,
}

impl DatabaseOptions {
    pub(crate) fn postgres(&self) -> PostgresOptions {
        PostgresOptions {
            connect_timeout: self.db_connect_timeout,
            statement_timeout: self.db_statement_timeout,
            lock_timeout: self.db_lock_timeout,
            ..PostgresOptions::default()
        }
    }
}
