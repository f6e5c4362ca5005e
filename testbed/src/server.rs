//! What all servers have in common: a process, a port, and a folder that stays when the process is started again.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use procfs::ProcResult;
use procfs::process::Process;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::needs::is_root;
use crate::spawner;

/// How long a server that starts or stops may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a server that starts or stops is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// How a server is started and stopped.
pub(crate) struct Program {
    pub path: PathBuf,
    pub arguments: Vec<String>,
    /// Who it runs as where this process is root.
    pub user: Option<&'static str>,
    /// The signal for an orderly stop.
    pub stop: Signal,
    /// Whether it takes connections.
    pub is_ready: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A folder for a server's data, which the user that it runs as may write to.
pub(crate) fn folder(server: &str, user: Option<&'static str>) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix(&format!("netqoe-{server}-")).tempdir()?;
    if let Some(user) = user.filter(|_| is_root()) {
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let (user, group) = ids(user)?;
        chown(folder.path(), Some(user), Some(group))?;
    }
    Ok(folder)
}

/// A server's process, which can be ended and started again on the same port and data. Stopped when dropped.
pub struct Server {
    program: Program,
    port: u16,
    running: Option<Child>,
    /// Removed after the process has ended.
    folder: TempDir,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(program: Program, port: u16, folder: TempDir) -> anyhow::Result<Self> {
        let mut server = Self { program, port, running: None, folder };
        server.restart()?;
        Ok(server)
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps what it needs: it may be changed while the server is down.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its standard output and error.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("log"))?)
    }

    /// Ends it and its child processes as a crash would, with SIGKILL.
    ///
    /// # Errors
    /// Where it can't be signalled.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.end(Signal::KILL)
    }

    /// Stops it in its own orderly way.
    ///
    /// # Errors
    /// Where it can't be signalled, or does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.end(self.program.stop)
    }

    /// Starts it where it is down; stops it before where it is not. Returns once it is ready.
    ///
    /// # Errors
    /// Where it can't be started or does not become ready, with what it wrote.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        let log = OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"))?;
        self.running = Some(spawn(&self.program, &log)?);
        self.wait_until_ready()
    }

    /// Holds it and its child processes still with SIGSTOP. Returns once they are.
    ///
    /// # Errors
    /// Where it is not running.
    pub fn pause(&self) -> anyhow::Result<()> {
        let processes = self.signal_all(Signal::STOP)?;
        let started = Instant::now();
        while !processes.iter().all(|process| is_held(*process)) {
            ensure!(started.elapsed() < PATIENCE, "{} goes on after SIGSTOP", self.program.path.display());
            sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Lets it go on after [`Server::pause`].
    ///
    /// # Errors
    /// Where it is not running.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal_all(Signal::CONT).map(drop)
    }

    /// Signals it and its child processes, and returns them.
    fn signal_all(&self, signal: Signal) -> anyhow::Result<Vec<Pid>> {
        let root = self.running.as_ref().and_then(pid).context("the server is not running")?;
        // The server first, so that it starts no more of them.
        kill_process(root, signal)?;
        let mut processes = descendants(root);
        signal_each(&processes, signal);
        processes.push(root);
        Ok(processes)
    }

    fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        let Some(root) = pid(&child) else { return Ok(()) };
        let children = descendants(root);
        kill_process(root, signal)?;
        if signal == Signal::KILL {
            signal_each(&children, signal);
        } else {
            // Who is held still could not stop.
            kill_process(root, Signal::CONT)?;
            signal_each(&children, Signal::CONT);
        }
        let started = Instant::now();
        while child.try_wait()?.is_none() || children.iter().any(|child| is_alive(*child)) {
            if started.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                bail!("{} did not stop within {PATIENCE:?}:\n{}", self.program.path.display(), self.log()?);
            }
            sleep(EVERY);
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let name = self.program.path.display().to_string();
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.running.as_mut().and_then(|child| child.try_wait().transpose()).transpose()? {
                self.running = None;
                bail!("{name} ended with {status}:\n{}", self.log()?);
            }
            if (self.program.is_ready)() {
                return Ok(());
            }
            sleep(EVERY);
        }
        bail!("{name} was not ready after {PATIENCE:?}:\n{}", self.log()?)
    }
}

/// Gives a type with a field `server` all that every server can.
macro_rules! is_a_server {
    ($name:ty) => {
        impl std::ops::Deref for $name {
            type Target = Server;

            fn deref(&self) -> &Server {
                &self.server
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Server {
                &mut self.server
            }
        }
    };
}
pub(crate) use is_a_server;

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("testbed: {error}");
        }
    }
}

/// `setpriv` becomes the program, so that its process id is the server's own.
fn spawn(program: &Program, log: &File) -> anyhow::Result<Child> {
    let mut command = as_user(program.user);
    command.args(["--pdeathsig", if program.stop == Signal::INT { "INT" } else { "TERM" }, "--"]);
    command.arg(&program.path).args(&program.arguments).current_dir("/");
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    spawner::spawn(command).with_context(|| format!("can't start {}", program.path.display()))
}

/// The beginning of a `setpriv` command that runs as this user where this process is root.
pub(crate) fn as_user(user: Option<&'static str>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(user) = user.filter(|_| is_root()) {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    command
}

/// The ids of a user and its group.
fn ids(user: &str) -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").context("can't read /etc/passwd")?;
    let line = users.lines().find(|line| line.split(':').next() == Some(user));
    let fields: Vec<_> = line.with_context(|| format!("there is no user {user}"))?.split(':').collect();
    let [_, _, user_id, group_id, ..] = fields[..] else { bail!("/etc/passwd has a line with too few fields") };
    Ok((user_id.parse()?, group_id.parse()?))
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn signal_each(processes: &[Pid], signal: Signal) {
    for process in processes {
        // One that has just ended needs no signal.
        let _ = kill_process(*process, signal);
    }
}

/// The child processes of a process, and theirs.
fn descendants(root: Pid) -> Vec<Pid> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = process(parent).and_then(|parent| parent.task_main_thread()?.children());
        // A process that has ended has none.
        let children = children.unwrap_or_default().into_iter();
        found.extend(children.filter_map(|child| i32::try_from(child).ok().and_then(Pid::from_raw)));
        next += 1;
    }
    found.split_off(1)
}

/// Whether a process runs: one that only waits for its parent to ask how it ended does not.
fn is_alive(process_id: Pid) -> bool {
    process(process_id).and_then(|process| process.stat()).is_ok_and(|stat| !matches!(stat.state, 'Z' | 'X'))
}

/// Whether all threads of a process are stopped, or it has ended.
fn is_held(process_id: Pid) -> bool {
    let threads = process(process_id).and_then(|process| process.tasks());
    let mut states = threads.into_iter().flatten().flatten().map(|thread| thread.stat().map(|stat| stat.state));
    // A thread that is gone has no state.
    states.all(|state| state.map_or(true, |state| matches!(state, 'T' | 'Z' | 'X')))
}

fn process(process_id: Pid) -> ProcResult<Process> {
    Process::new(process_id.as_raw_nonzero().get())
}
