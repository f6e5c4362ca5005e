//! `--supervise`: this process does nothing but start another one with the same options, again whenever that ends by
//! itself. Where systemd or Kubernetes do it, there is no need for this.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{self, SignalKind};
use tokio_util::sync::CancellationToken;

use super::runtime::request_threads;
use crate::exit::{TAKEN_OVER, WRONG_USAGE};

/// Pauses between two starts: short at first, since a lost process holds up its whole cluster, and longer while it
/// keeps failing.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What ran for this long has started well, and the next pause is short again.
const STARTED_WELL: Duration = Duration::from_secs(60);
/// How often the process is looked at.
const EVERY: Duration = Duration::from_millis(100);
/// Asks for all open windows.
const SHOW_WINDOWS: Signal = Signal::USR1;
/// Asks to read the configuration again.
const RELOAD: Signal = Signal::HUP;

const FLAG: &str = "--supervise";
const VARIABLE: &str = "NETQOE_SUPERVISE";
/// Tells the other process that its standard input shows whether this one is still there.
const SUPERVISED_FLAG: &str = "--supervised";

/// Runs until the process ends well or is asked to stop.
pub(super) fn run() -> anyhow::Result<()> {
    request_threads()?.block_on(supervise())
}

/// The process that was supervised has ended, and is not started again.
#[derive(Debug, thiserror::Error)]
#[error("the supervised process ended with {status} and is not started again: {why}")]
pub(crate) struct Failed {
    pub(crate) status: ExitStatus,
    why: &'static str,
}

/// Why a process that has ended so is not started again; none where it is.
fn why_not_again(status: ExitStatus, asked: bool) -> Option<&'static str> {
    if asked {
        return Some("this one was asked to stop");
    }
    match u8::try_from(status.code()?).ok()? {
        WRONG_USAGE => Some("its options would be as wrong the next time"),
        TAKEN_OVER => Some("another cluster has taken over the store; stop that one before this one is started again"),
        _ => None,
    }
}

async fn supervise() -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("can't listen for signals")?;
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let (status, asked) = oversee(&mut start()?, &mut signals).await?;
        if status.success() {
            return Ok(());
        }
        if let Some(why) = why_not_again(status, asked) {
            return Err(Failed { status, why }.into());
        }
        if started.elapsed() >= STARTED_WELL {
            pause = FIRST_PAUSE;
        }
        tracing::warn!("the supervised process ended with {status}; it is started again in {pause:?}");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = signals.asked_to_stop() => return Ok(()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Hands signals on to the process until it ends. How it has ended, and whether it was asked to.
async fn oversee(child: &mut Child, signals: &mut Signals) -> anyhow::Result<(ExitStatus, bool)> {
    let mut asked = false;
    loop {
        tokio::select! {
            status = ended(child) => return Ok((status?, asked)),
            signal = signals.next() => {
                asked |= asks_to_stop(signal);
                hand_on(child, signal)?;
            }
        }
    }
}

/// What this process is told, and the other one instead of it.
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    show_windows: unix::Signal,
    reload: unix::Signal,
}

fn asks_to_stop(signal: Signal) -> bool {
    !matches!(signal, SHOW_WINDOWS | RELOAD)
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            show_windows: unix::signal(SignalKind::user_defined1())?,
            reload: unix::signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.show_windows.recv() => SHOW_WINDOWS,
            _ = self.reload.recv() => RELOAD,
        }
    }

    /// Waits for one that asks to stop.
    async fn asked_to_stop(&mut self) {
        while !asks_to_stop(self.next().await) {}
    }
}

fn start() -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("can't find this program")?;
    let options = std::env::args_os().skip(1).filter(|argument| argument != FLAG);
    let mut command = Command::new(program);
    // In a group of its own: what a terminal tells this process's group would reach it twice.
    command.args(options).arg(SUPERVISED_FLAG).env(VARIABLE, "false").stdin(Stdio::piped()).process_group(0);
    command.spawn().context("can't start the supervised process")
}

async fn ended(child: &mut Child) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().context("can't wait for the supervised process")? {
            return Ok(status);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn hand_on(child: &Child, signal: Signal) -> anyhow::Result<()> {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return Ok(()) };
    kill_process(pid, signal).context("can't send a signal to the supervised process")
}

/// Stops this process once the one that supervises it is gone, even by kill -9: the system closes the other end of our
/// standard input then, into which nothing is ever written.
pub(super) fn stop_with_supervisor(stop: CancellationToken) -> anyhow::Result<()> {
    let wait = move || {
        if let Err(error) = io::copy(&mut io::stdin().lock(), &mut io::sink()) {
            tracing::debug!("the supervisor can't be seen: {error}");
        }
        tracing::warn!("the supervisor has ended, and so does this process; draining");
        stop.cancel();
    };
    std::thread::Builder::new().name("supervisor".to_owned()).spawn(wait).context("can't watch the supervisor")?;
    Ok(())
}
