//! A network namespace that lives as long as a process of ours.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use crate::spawner;

/// How long a process that starts may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network of its own, and a `resolv.conf` of its own for programs that run in it.
pub struct Namespace {
    /// Sleeps in it; with this process it is gone.
    keeper: Child,
    /// Holds the `resolv.conf`.
    _folder: TempDir,
}

impl Namespace {
    pub(super) fn new(resolv_conf: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("netqoe-namespace-").tempdir()?;
        let file = folder.path().join("resolv.conf");
        std::fs::write(&file, resolv_conf)?;
        let ready = folder.path().join("ready");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "sh", "-ec"]);
        // The shell becomes the sleeper, so that its process id is the keeper's.
        command.arg(
            "mount --bind \"$1\" /etc/resolv.conf; ip link set lo up; \
             # Nothing is to be on the link but what the test sends. A host that knows no IPv6 is quiet anyway. \n\
             echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 || :; : > \"$2\"; exec sleep infinity",
        );
        command.arg("sh").arg(&file).arg(&ready).stdin(Stdio::null());
        let keeper = spawner::spawn(command).context("can't run setpriv and unshare")?;
        let mut namespace = Self { keeper, _folder: folder };
        namespace.wait_for(&ready)?;
        Ok(namespace)
    }

    fn wait_for(&mut self, file: &Path) -> anyhow::Result<()> {
        let started = Instant::now();
        while !file.exists() {
            ensure!(self.keeper.try_wait()?.is_none(), "a network namespace can't be made here");
            ensure!(started.elapsed() < PATIENCE, "a network namespace was not there after {PATIENCE:?}");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    pub(super) fn process_id(&self) -> String {
        self.keeper.id().to_string()
    }

    /// A command that runs this program in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.process_id(), "--net", "--mount", "--", program]);
        command
    }

    /// Runs this on a thread in it.
    ///
    /// # Errors
    /// Where the namespace can't be entered.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<JoinHandle<anyhow::Result<T>>> {
        let namespace = File::open(format!("/proc/{}/ns/net", self.process_id()))?;
        Ok(thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                .context("can't enter the network namespace")?;
            Ok(work())
        }))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = self.keeper.kill().and_then(|()| self.keeper.wait()) {
            eprintln!("testbed: {error}");
        }
    }
}
