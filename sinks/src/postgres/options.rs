use std::time::Duration;

/// How a PostgreSQL database is used, beside what its URL says. The defaults are those of the tuning guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// How long to wait for each address of the server, where the URL does not say.
    pub connect_timeout: Duration,
    /// How long one statement of a commit may take. A server that is only slow should get through with it: what was
    /// cut off is begun again.
    pub statement_timeout: Duration,
    /// How long a commit, and the opening of a new generation, wait for a lock. Where a process is stopped in the
    /// middle of a commit, the server takes half a minute to end that.
    pub lock_timeout: Duration,
    /// How often a commit that failed for a passing reason is retried before the failure is reported.
    pub commit_retries: usize,
    /// Maximum number of connections for queries.
    pub max_open_connections: usize,
    /// How many of these stay open while idle.
    pub max_idle_connections: usize,
    /// Age at which a connection for questions is not used any more, so that a pooler or a new replica gets its share.
    pub connection_lifetime: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(120),
            lock_timeout: Duration::from_secs(60),
            commit_retries: 13,
            max_open_connections: 25,
            max_idle_connections: 25,
            connection_lifetime: Duration::from_secs(300),
        }
    }
}
