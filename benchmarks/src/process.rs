//! A process of this program, started for a measurement.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::resources;

/// How long a process may take to start or to drain on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(5);
/// What a server logs once it takes requests, before its address.
const LISTENING: &str = "listening on http://";

/// A rate that no client reaches.
pub(super) const NO_RATE: &str = "1000000";

/// A running server on a free port. Killed when dropped.
pub(super) struct Process {
    name: &'static str,
    child: Child,
    heard: Arc<Mutex<Heard>>,
    listener: Option<JoinHandle<()>>,
}

/// What the process has said of itself.
#[derive(Default)]
struct Heard {
    address: Option<SocketAddr>,
    last: String,
}

impl Process {
    /// Starts `netqoe up` on this data, whose clients are above no rate, with more options.
    pub(super) fn up(data: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("can't find this program")?);
        command.args(["up", "--log-format", "json", "--port", "0", "--listen", "127.0.0.1", "--data"]).arg(data);
        Self::start(command.args(["--rate", NO_RATE, "--rate-burst", NO_RATE]).args(options), "netqoe up")
    }

    /// Starts it, and waits for nothing.
    pub(super) fn start(command: &mut Command, name: &'static str) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("can't start {name}"))?;
        let heard = Arc::<Mutex<Heard>>::default();
        let listener = child.stderr.take().map(|log| {
            let heard = Arc::clone(&heard);
            std::thread::spawn(move || listen(log, &heard))
        });
        Ok(Self { name, child, heard, listener })
    }

    /// Where it takes requests, once it does.
    pub(super) async fn address(&mut self) -> anyhow::Result<SocketAddr> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(address) = self.heard.lock().address {
                return Ok(address);
            }
            if let Some(status) = self.child.try_wait()? {
                self.hear_out()?;
                bail!("{} ended with {status}: {}", self.name, self.heard.lock().last);
            }
            sleep(EVERY).await;
        }
        bail!("{} does not listen after {PATIENCE:?}", self.name)
    }

    /// CPU seconds that it has used so far.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        resources::cpu_seconds(self.child.id())
    }

    /// The most memory that it has had at once, in bytes.
    pub(super) fn peak_memory_bytes(&self) -> anyhow::Result<u64> {
        resources::peak_memory_bytes(self.child.id())
    }

    /// Lets it drain.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("it has no process id")?;
        kill_process(pid, Signal::TERM).with_context(|| format!("can't stop {}", self.name))?;
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(started.elapsed() < PATIENCE, "{} does not drain within {PATIENCE:?}", self.name);
            sleep(EVERY).await;
        }
        Ok(())
    }

    /// kill -9.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// After its end, waits for the last line that it has logged.
    fn hear_out(&mut self) -> anyhow::Result<()> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        listener.join().map_err(|_| anyhow::anyhow!("reading the log of {} panicked", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where the measurement was not cut short.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

fn listen(log: impl Read, heard: &Mutex<Heard>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        heard.lock().hear(&line);
    }
}

impl Heard {
    /// Takes in a line of a log that is written as JSON, or the message at the process's end, which is text.
    fn hear(&mut self, line: &str) {
        let said: Value = serde_json::from_str(line).unwrap_or_default();
        let message = said["fields"]["message"].as_str().unwrap_or(line);
        if let Some(address) = message.strip_prefix(LISTENING) {
            self.address = address.parse().ok();
        }
        self.last = message.to_owned();
        if said["level"] != "INFO" {
            tracing::debug!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_says_of_itself_is_heard() {
        let mut heard = Heard::default();
        heard.hear(r#"{"level":"INFO","fields":{"message":"listening on http://127.0.0.1:4711"}}"#);
        assert_eq!(heard.address, Some(SocketAddr::from(([127, 0, 0, 1], 4711))));
        heard.hear("netqoe: can't go on");
        assert_eq!(heard.last, "netqoe: can't go on");
    }
}
