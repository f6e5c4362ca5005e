//! Runs `netqoe up --demo` in a root, and looks at its page from outside, as a browser on this machine would.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// How long the demo may take to load its history on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// What the page and the API behind it must hold.
const PAGE: &str = "<title>netqoe";
const LIST: &str = "\"items\"";
/// An ordinary user's PATH need not have the folders of the system's programs.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs the program as the packages' user until it has shown its page and is drained.
pub(super) fn visit_demo(root: &Path, program: &str, data: &str) -> anyhow::Result<()> {
    let port = netqoe_testbed::free_port()?.to_string();
    let mut command = Command::new("chroot");
    command.arg("--userspec=netqoe:netqoe").arg(root).args([program, "up", "--demo", "--data", data, "--port", &port]);
    // Nothing of whoever runs this, but where `chroot` is.
    command.env_clear().env("PATH", SYSTEM_PATH);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("can't run chroot")?;
    let mut demo = Demo(child);
    let url = format!("http://127.0.0.1:{port}");
    for (path, wanted) in [("/", PAGE), ("/api/v1/incidents", LIST)] {
        let answer = demo.wait_for(&format!("{url}{path}"))?;
        ensure!(answer.contains(wanted), "{path} has no {wanted}");
    }
    demo.stop()
}

/// Killed where it is not stopped.
struct Demo(Child);

impl Demo {
    /// The body of the answer, once there is one.
    fn wait_for(&mut self, url: &str) -> anyhow::Result<String> {
        let started = Instant::now();
        loop {
            if let Ok(mut answer) = ureq::get(url).call() {
                return Ok(answer.body_mut().read_to_string()?);
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("netqoe has ended with {status}");
            }
            ensure!(started.elapsed() < LONGEST, "{url} does not answer within {} s", LONGEST.as_secs());
            thread::sleep(AGAIN_AFTER);
        }
    }

    fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status().context("can't run kill")?;
        ensure!(asked.success(), "netqoe can't be stopped");
        let status = self.0.wait()?;
        ensure!(status.success(), "netqoe has ended with {status} after it was asked to stop");
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Where it was waited for, there is nothing to kill.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
