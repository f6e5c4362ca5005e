//! A PostgreSQL server of the tests' own: a free loopback port, data in a temporary folder, gone with this value.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::needs::{INITDB, is_root};

/// PostgreSQL refuses to run as root; Debian's package makes this user for it.
const USER: &str = "postgres";
/// How long a server that starts or stops may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Postgres {
    server: Child,
    port: u16,
    /// Removed after the server has ended.
    _folder: TempDir,
}

impl Postgres {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = INITDB.find_or_install()?.parent().map(Path::to_owned).context("initdb is in no folder")?;
        let folder = tempfile::Builder::new().prefix("netqoe-postgres-").tempdir()?;
        if is_root() {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
            let (user, group) = ids(USER)?;
            chown(folder.path(), Some(user), Some(group))?;
        }
        let data = folder.path().join("data");
        let made = as_user(programs.join("initdb"))
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username=postgres", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .context("can't run initdb")?;
        ensure!(made.success(), "initdb failed");
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let log = folder.path().join("log");
        let server = as_user(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("can't start postgres")?;
        let mut server = Self { server, port, _folder: folder };
        server.wait_until_ready(&programs, &log)?;
        Ok(server)
    }

    /// The URL of its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, programs: &Path, log: &Path) -> anyhow::Result<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.server.try_wait()? {
                bail!("postgres ended with {status}:\n{}", std::fs::read_to_string(log)?);
            }
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .context("can't run pg_isready")?;
            if ready.success() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("postgres was not ready after {PATIENCE:?}:\n{}", std::fs::read_to_string(log)?)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown. Under `setpriv` the child's process id is the server's own.
        let pid = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw);
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::INT)) {
            eprintln!("xtask: can't stop postgres: {error}");
            return;
        }
        if let Err(error) = self.server.wait() {
            eprintln!("xtask: can't wait for postgres to stop: {error}");
        }
    }
}

/// A command that runs as PostgreSQL's user where this process is root. `setpriv` becomes the program.
fn as_user(program: PathBuf) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--init-groups", "--"]).arg(program).current_dir("/");
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
