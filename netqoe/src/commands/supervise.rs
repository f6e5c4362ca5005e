//! `--supervise`: this process does nothing but start another one with the same options, again whenever that ends by
//! itself. Where systemd or Kubernetes do it, there is no need for this.

use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::runtime::request_threads;

/// Pauses between two starts: short at first, since a lost process holds up its whole cluster, and longer while it
/// keeps failing.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What ran for this long has started well, and the next pause is short again.
const STARTED_WELL: Duration = Duration::from_secs(60);
/// How often the process is looked at.
const EVERY: Duration = Duration::from_millis(100);
/// Whoever was asked in a wrong way will not understand it the next time either.
const WRONG_USAGE: i32 = 2;

const FLAG: &str = "--supervise";
const VARIABLE: &str = "NETQOE_SUPERVISE";

/// Runs until the process ends well or this one is asked to stop, which the process is then asked too.
pub(super) fn run() -> anyhow::Result<()> {
    request_threads()?.block_on(supervise())
}

async fn supervise() -> anyhow::Result<()> {
    let cant_listen = "can't listen for signals";
    let mut terminate = signal(SignalKind::terminate()).context(cant_listen)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(cant_listen)?;
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let mut child = start()?;
        let (status, asked) = tokio::select! {
            status = ended(&mut child) => (status?, false),
            _ = terminate.recv() => (stop(&mut child).await?, true),
            _ = interrupt.recv() => (stop(&mut child).await?, true),
        };
        if status.success() {
            return Ok(());
        }
        if asked || status.code() == Some(WRONG_USAGE) {
            bail!("the supervised process ended with {status}");
        }
        if started.elapsed() >= STARTED_WELL {
            pause = FIRST_PAUSE;
        }
        tracing::warn!("the supervised process ended with {status}; it is started again in {pause:?}");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn start() -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("can't find this program")?;
    let options = std::env::args_os().skip(1).filter(|argument| argument != FLAG);
    Command::new(program).args(options).env(VARIABLE, "false").spawn().context("can't start the supervised process")
}

async fn ended(child: &mut Child) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().context("can't wait for the supervised process")? {
            return Ok(status);
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn stop(child: &mut Child) -> anyhow::Result<ExitStatus> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::TERM).context("can't stop the supervised process")?;
    }
    ended(child).await
}
