//! nats-server with JetStream.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;

use anyhow::Context;
use rustix::process::Signal;

use crate::needs::NATS_SERVER;
use crate::ports::free_port;
use crate::server::{self, Program, Server, is_a_server};

/// The variable with another nats-server than Debian's, 2.10 or newer. It writes each message to its disk before it
/// confirms it, which older ones can't.
pub const OTHER_SERVER: &str = "NETQOE_TEST_NATS_SERVER";

/// What its streams may reserve: enough for any test. Without it the free space of the machine's disk would decide
/// which tests pass.
const MAX_FILE_STORE: &str = "1TB";

/// How a [`NatsServer`] is set up.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// What it calls itself.
    pub name: String,
    /// Whether it has JetStream.
    pub jetstream: bool,
    /// More lines of its configuration file: `authorization`, `tls`, `max_payload` and the like.
    pub configuration: String,
    /// Who it runs as where this process is root.
    pub user: Option<&'static str>,
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self { name: "testbed".to_owned(), jetstream: true, configuration: String::new(), user: None }
    }
}

/// A nats-server. Its streams survive [`Server::kill`] and [`Server::restart`].
pub struct NatsServer {
    server: Server,
}

impl NatsServer {
    /// With JetStream, for anyone who connects.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&NatsOptions::default())
    }

    /// Set up as these options say.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start_with(options: &NatsOptions) -> anyhow::Result<Self> {
        let other = std::env::var_os(OTHER_SERVER).map(PathBuf::from);
        let sync = if other.is_some() { ", sync_interval: always" } else { "" };
        let path = other.map_or_else(|| NATS_SERVER.find(), Ok)?;
        let folder = server::folder("nats", options.user)?;
        let port = free_port()?;
        let configuration = folder.path().join("nats.conf");
        let mut lines = format!("listen: 127.0.0.1:{port}\nserver_name: {}\n", options.name);
        if options.jetstream {
            let store = folder.path().join("store");
            lines += &format!("jetstream {{ store_dir: {store:?}, max_file_store: {MAX_FILE_STORE}{sync} }}\n");
        }
        std::fs::write(&configuration, lines + &options.configuration)?;
        let program = Program {
            path,
            arguments: vec!["-c".to_owned(), configuration.display().to_string()],
            user: options.user,
            stop: Signal::TERM,
            is_ready: Box::new(move || greets(port)),
        };
        Ok(Self { server: Server::start(program, port, folder)? })
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.server.port())
    }

    /// Its version, as `2.9.10`.
    ///
    /// # Errors
    /// Where it does not say so.
    pub fn version(&self) -> anyhow::Result<String> {
        let line = greeting(self.server.port())?;
        let version = line.split("\"version\":\"").nth(1).and_then(|rest| rest.split('"').next());
        Ok(version.with_context(|| format!("a nats-server does not say its version: {line}"))?.to_owned())
    }

    /// Where its streams are; it may be moved away or replaced while the server is down.
    pub fn store(&self) -> PathBuf {
        self.server.folder().join("store")
    }
}

/// Whether a NATS server answers there. It does so only once its streams are recovered.
fn greets(port: u16) -> bool {
    greeting(port).is_ok_and(|line| line.starts_with("INFO "))
}

/// The first line that a server says.
fn greeting(port: u16) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(("127.0.0.1", port))?).read_line(&mut line)?;
    Ok(line)
}

is_a_server!(NatsServer);
