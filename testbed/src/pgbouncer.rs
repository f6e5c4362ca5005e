//! PgBouncer in transaction mode.

use std::net::TcpStream;

use anyhow::Context;
use rustix::process::Signal;
use url::Url;

use crate::needs::PGBOUNCER;
use crate::ports::free_port;
use crate::postgres::USER;
use crate::server::{self, Program, Server, is_a_server};

/// A PgBouncer in front of one database. Each transaction may run on another of its few connections, as in the
/// guide's configuration.
pub struct PgBouncer {
    server: Server,
    url: String,
}

impl PgBouncer {
    /// In front of the database at this URL, for its user, who needs no password.
    ///
    /// # Errors
    /// Where it is not installed or does not start, or the URL is none of a database.
    pub fn start(database: &str) -> anyhow::Result<Self> {
        let mut url = Url::parse(database).context("the database's URL can't be read")?;
        let host = url.host_str().context("the database's URL has no host")?.to_owned();
        let database_port = url.port().unwrap_or(5432);
        let user = url.username().to_owned();
        let folder = server::folder("pgbouncer", Some(USER))?;
        let port = free_port()?;
        let (users, configuration) = (folder.path().join("users"), folder.path().join("pgbouncer.ini"));
        std::fs::write(&users, format!("\"{user}\" \"\"\n"))?;
        let lines = format!(
            "[databases]\n\
             * = host={host} port={database_port}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = trust\n\
             auth_file = {}\n\
             pool_mode = transaction\n\
             max_client_conn = 1000\n\
             default_pool_size = 25\n\
             server_login_retry = 1\n",
            users.display()
        );
        std::fs::write(&configuration, lines)?;
        let program = Program {
            path: PGBOUNCER.find()?,
            arguments: vec![configuration.display().to_string()],
            user: Some(USER),
            stop: Signal::TERM,
            is_ready: Box::new(move || TcpStream::connect(("127.0.0.1", port)).is_ok()),
        };
        let server = Server::start(program, port, folder)?;
        let moved = url.set_host(Some("127.0.0.1")).is_ok() && url.set_port(Some(port)).is_ok();
        anyhow::ensure!(moved, "the database's URL can't have another host");
        Ok(Self { server, url: url.into() })
    }

    /// The URL of the database behind it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

is_a_server!(PgBouncer);
