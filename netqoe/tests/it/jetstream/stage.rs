//! A log in JetStream, a store, and commands on them.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use netqoe_testbed::{NatsServer, free_port};
use tempfile::TempDir;

use crate::support::{NO_RATE, Server, eventually, get, netqoe};

/// Windows of a second, which close while a test runs.
pub(crate) const SHORT_WINDOWS: [(&str, &str); 2] = [("NETQOE_WINDOW", "1s"), ("NETQOE_LATENESS", "5s")];

pub(crate) struct Stage {
    pub(crate) nats: NatsServer,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// With an empty log.
    pub(crate) fn new() -> Self {
        Self { nats: NatsServer::start().unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// A file in the folder of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The URL of a SQLite store in that folder.
    pub(crate) fn store(&self, name: &str) -> String {
        format!("sqlite:{}", self.path(name).display())
    }

    /// A command on this log.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = netqoe();
        command.args(arguments).env("NETQOE_NATS_URL", self.nats.url());
        command
    }

    /// What such a command says once it has ended.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// An instance of `ingest` that takes requests.
    pub(crate) fn ingest(&self) -> (Server, u16) {
        let mut command = self.command(&["ingest", "--port", "0", "--stall-wait", "1s"]);
        command.args(NO_RATE);
        let mut server = Server::run(command, Arc::default());
        let port = server.port();
        eventually("ingest is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
        (server, port)
    }

    /// The command of a cluster of one process.
    pub(crate) fn aggregate(&self, store: &str) -> Command {
        let hosts = self.path("hosts");
        std::fs::write(&hosts, format!("127.0.0.1:{}\n", free_port().unwrap())).unwrap();
        let mut command = self.command(&["aggregate", "--port", "0", "--database-url", store, "-h"]);
        command.arg(hosts).envs(SHORT_WINDOWS);
        command
    }

    /// What an operator does who lets the stream hold more.
    pub(crate) fn raise_message_limit(&self, max_messages: i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let jetstream = async_nats::jetstream::new(async_nats::connect(self.nats.url()).await.unwrap());
            let mut config = jetstream.get_stream("telemetry-events").await.unwrap().cached_info().config.clone();
            config.max_messages = max_messages;
            jetstream.update_stream(config).await.unwrap();
        });
    }

    /// What another client of the server publishes.
    pub(crate) fn publish(&self, subject: &'static str, payload: &'static [u8]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(self.nats.url()).await.unwrap();
            let jetstream = async_nats::jetstream::new(client);
            jetstream.publish(subject, payload.into()).await.unwrap().await.unwrap();
        });
    }
}

/// It has succeeded; its standard output.
#[track_caller]
pub(crate) fn succeeded(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// It has failed with this code, for a reason that it says in one line.
#[track_caller]
pub(crate) fn failed(output: &Output, code: i32, says: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    let lines: Vec<_> = message.lines().filter(|line| line.starts_with("netqoe: ")).collect();
    assert_eq!(lines.len(), 1, "{message}");
    assert!(lines[0].contains(says), "{message}");
}
