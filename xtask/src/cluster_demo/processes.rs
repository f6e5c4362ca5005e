//! The processes of netqoe in the demo.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use netqoe_testbed::free_port;
use tempfile::TempDir;

/// How long a process may take to start or to drain on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_millis(50);
const INGESTS: usize = 2;
const AGGREGATES: usize = 2;
/// Clients of the demo send faster than probes.
const NO_RATE: &str = "100000";
/// Smaller than the default, since the server makes no stream for which there is no room on the disk.
const STREAM_MAX_BYTES: &str = "500000000";

/// All processes, and where they are. Killed when dropped.
pub(super) struct Processes {
    program: PathBuf,
    nats: String,
    database: String,
    hosts: PathBuf,
    /// Where each process of the aggregate answers questions.
    ports: Vec<u16>,
    ingests: Vec<Child>,
    aggregate: Vec<Child>,
    folder: TempDir,
}

impl Processes {
    pub(super) fn new(program: PathBuf, nats: String, database: String) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("can't make a temporary folder")?;
        let ports = |count| (0..count).map(|_| free_port()).collect::<anyhow::Result<Vec<_>>>();
        let hosts: Vec<_> = ports(AGGREGATES)?.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let path = folder.path().join("hosts");
        std::fs::write(&path, hosts.join("\n")).context("can't write the host file")?;
        let ports = ports(AGGREGATES)?;
        Ok(Self { program, nats, database, hosts: path, ports, ingests: vec![], aggregate: vec![], folder })
    }

    /// Starts all ingests, and returns their addresses once they take requests.
    pub(super) fn start_ingests(&mut self, stopped: &AtomicBool) -> anyhow::Result<Vec<SocketAddr>> {
        let mut addresses = Vec::new();
        for _ in 0..INGESTS {
            let port = free_port()?;
            let mut command = self.command("ingest", port);
            command.args(["--rate", NO_RATE, "--rate-burst", NO_RATE]);
            let mut child = command.spawn().context("can't start netqoe ingest")?;
            println!("netqoe ingest     http://127.0.0.1:{port} (process {})", child.id());
            wait_until_ready(&mut child, port, stopped)?;
            self.ingests.push(child);
            addresses.push(SocketAddr::from(([127, 0, 0, 1], port)));
        }
        Ok(addresses)
    }

    /// Starts all processes of the aggregate, and waits until they work.
    pub(super) fn start_aggregate(&mut self, stopped: &AtomicBool) -> anyhow::Result<()> {
        for (process, port) in self.ports.clone().into_iter().enumerate() {
            let mut command = self.command("aggregate", port);
            command.args(["-n", &AGGREGATES.to_string(), "-p", &process.to_string(), "-h"]).arg(&self.hosts);
            command.args(["--database-url", &self.database, "--window", "1s", "--lateness", "2s"]);
            let child = command.spawn().context("can't start netqoe aggregate")?;
            println!("netqoe aggregate  http://127.0.0.1:{port} (process {}, -p {process})", child.id());
            self.aggregate.push(child);
        }
        for (child, port) in self.aggregate.iter_mut().zip(&self.ports) {
            wait_until_ready(child, *port, stopped)?;
        }
        Ok(())
    }

    /// kill -9 of the last process of the aggregate. Returns the exit code with which the others follow.
    pub(super) fn crash(&mut self) -> anyhow::Result<i32> {
        let mut killed = self.aggregate.pop().context("no aggregate runs")?;
        killed.kill()?;
        killed.wait()?;
        let mut code = 0;
        for mut child in self.aggregate.drain(..) {
            code = ended(&mut child)?.code().context("a signal ended it")?;
        }
        Ok(code)
    }

    /// Where the first process of the aggregate answers questions.
    pub(super) fn queries(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// SIGTERM, after which all drain. Where one process of the aggregate is asked to, the others follow it.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        for mut child in self.aggregate.drain(..).chain(self.ingests.drain(..)) {
            let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status();
            asked.context("can't run kill")?;
            ended(&mut child)?;
        }
        Ok(())
    }

    fn command(&self, name: &str, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        // Neither variables nor a configuration file of whoever runs the demo.
        command.env_clear().env("RUST_LOG", "error").current_dir(self.folder.path()).stdin(Stdio::null());
        command.args([name, "--port", &port.to_string(), "--nats-url", &self.nats]);
        command.args(["--stream-max-bytes", STREAM_MAX_BYTES]);
        command
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.ingests.iter_mut().chain(&mut self.aggregate) {
            // It may have ended by itself.
            child.kill().unwrap_or_default();
            child.wait().map(drop).unwrap_or_default();
        }
    }
}

fn wait_until_ready(child: &mut Child, port: u16, stopped: &AtomicBool) -> anyhow::Result<()> {
    let (url, began) = (format!("http://127.0.0.1:{port}/readyz"), Instant::now());
    while ureq::get(&url).call().is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("a process of netqoe ended with {status}");
        }
        ensure!(!stopped.load(Ordering::SeqCst), "stopped");
        ensure!(began.elapsed() < PATIENCE, "{url} is not ready after {PATIENCE:?}");
        sleep(EVERY);
    }
    Ok(())
}

fn ended(child: &mut Child) -> anyhow::Result<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        sleep(EVERY);
    }
    bail!("a process of netqoe does not end within {PATIENCE:?}")
}
