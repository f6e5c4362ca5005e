//! PostgreSQL.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rustix::process::Signal;

use crate::needs::INITDB;
use crate::ports::free_port;
use crate::postgres_data::make_empty;
use crate::server::{self, Program, Server, is_a_server};

/// PostgreSQL refuses to run as root; Debian's package makes this user for it.
pub(crate) const USER: &str = "postgres";

/// A PostgreSQL server with the superuser `postgres`, who needs no password. Its data survives
/// [`Server::kill`] and [`Server::restart`].
pub struct Postgres {
    server: Server,
}

/// Neither a machine's crash nor the figures of a real disk are tested; and tests that share a server leave hundreds of
/// databases, none of which lives long enough to be vacuumed, while each would be looked at again and again. They run beside
/// each other, and each has some connections. What tests ask of a few rows is not compiled first.
const OF_TESTS: &str = "fsync = off\nfull_page_writes = off\nautovacuum = off\nmax_connections = 300\njit = off\n";

impl Postgres {
    /// With an empty cluster of databases.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(OF_TESTS)
    }

    /// The same, with more lines of its `postgresql.conf`. Unless they say otherwise, a commit is on the disk when it is
    /// answered, as in production.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start_with(configuration: &str) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = server::folder("postgres", Some(USER))?;
        let data = folder.path().join("data");
        make_empty(&data)?;
        let mut settings = OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
        settings.write_all(configuration.as_bytes())?;
        let port = free_port()?;
        let number = port.to_string();
        let (data, sockets) = (data.display().to_string(), folder.path().display().to_string());
        let arguments = ["-D", &data, "-p", &number, "-c", "listen_addresses=127.0.0.1", "-k", &sockets];
        let program = Program {
            path: programs.join("postgres"),
            arguments: arguments.map(str::to_owned).to_vec(),
            user: Some(USER),
            stop: Signal::INT, // its fast shutdown: it does not wait for clients
            is_ready: Box::new(move || is_ready(&programs, port)),
        };
        Ok(Self { server: Server::start(program, port, folder)? })
    }

    /// The URL of its superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.server.port())
    }
}

/// The folder of PostgreSQL's programs.
pub(crate) fn programs() -> anyhow::Result<PathBuf> {
    INITDB.find()?.parent().map(Path::to_owned).context("initdb is in no folder")
}

fn is_ready(programs: &Path, port: u16) -> bool {
    // Until it listens, a program need not be started to ask it.
    if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        return false;
    }
    let mut command = Command::new(programs.join("pg_isready"));
    command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
    command.status().is_ok_and(|status| status.success())
}

is_a_server!(Postgres);
