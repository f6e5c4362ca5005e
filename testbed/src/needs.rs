//! The programs that tests start, and the packages of Debian that bring them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// A program that tests start.
pub(crate) struct Need {
    program: &'static str,
    package: &'static str,
    /// Folders where it may be, beside those of PATH; `*` stands for any one folder.
    folders: &'static [&'static str],
}

/// An ordinary user's PATH lacks it.
const SYSTEM_PROGRAMS: &[&str] = &["/usr/sbin"];

/// PostgreSQL's server programs are not on PATH in Debian. `initdb` stands for all of them.
pub(crate) const INITDB: Need =
    Need { program: "initdb", package: "postgresql", folders: &["/usr/lib/postgresql/*/bin"] };
pub(crate) const NATS_SERVER: Need = Need { program: "nats-server", package: "nats-server", folders: SYSTEM_PROGRAMS };
pub(crate) const PGBOUNCER: Need = Need { program: "pgbouncer", package: "pgbouncer", folders: SYSTEM_PROGRAMS };
pub(crate) const NGINX: Need = Need { program: "nginx", package: "nginx", folders: SYSTEM_PROGRAMS };

/// The load tester of the tuning guide.
const AB: Need = Need { program: "ab", package: "apache2-utils", folders: &[] };

/// What the probe's figures are held against.
const CURL: Need = Need { program: "curl", package: "curl", folders: &[] };
/// Makes the networks that a slow link is between.
const IP: Need = Need { program: "ip", package: "iproute2", folders: SYSTEM_PROGRAMS };

/// What the probe's footprint is held against.
const BLACKBOX_EXPORTER: Need =
    Need { program: "prometheus-blackbox-exporter", package: "prometheus-blackbox-exporter", folders: SYSTEM_PROGRAMS };

/// Reads the metrics, and checks the rules that are shipped.
pub(crate) const PROMETHEUS: Need = Need { program: "prometheus", package: "prometheus", folders: SYSTEM_PROGRAMS };
pub(crate) const PROMTOOL: Need = Need { program: "promtool", package: "prometheus", folders: SYSTEM_PROGRAMS };

/// Build the page that netqoe is tested with. Debian 12's is too old for that, which `xtask` says.
const NODE: Need = Need { program: "node", package: "nodejs", folders: &[] };
const NPM: Need = Need { program: "npm", package: "npm", folders: &[] };
/// Shows the page to its tests.
const CHROMIUM: Need = Need { program: "chromium", package: "chromium", folders: &[] };

/// Does to a data file what no request does.
const SQLITE3: Need = Need { program: "sqlite3", package: "sqlite3", folders: &[] };

/// Get what Debian does not have.
pub(crate) const PYTHON: Need = Need { program: "python3", package: "python3", folders: &[] };
pub(crate) const PIP: Need = Need { program: "pip3", package: "python3-pip", folders: &[] };

/// Parts servers from each other.
pub(crate) const IPTABLES: Need = Need { program: "iptables", package: "iptables", folders: SYSTEM_PROGRAMS };

/// Serves TLS as old servers do.
const OPENSSL: Need = Need { program: "openssl", package: "openssl", folders: &[] };

/// Shifts the clock of a process.
const FAKETIME: Need = Need { program: "faketime", package: "faketime", folders: &[] };

/// Only for `cargo xtask dist --try`.
const DEBOOTSTRAP: Need = Need { program: "debootstrap", package: "debootstrap", folders: SYSTEM_PROGRAMS };

const ALL: [Need; 19] = [
    INITDB,
    NATS_SERVER,
    PGBOUNCER,
    NGINX,
    AB,
    CURL,
    IP,
    BLACKBOX_EXPORTER,
    PROMETHEUS,
    PROMTOOL,
    OPENSSL,
    FAKETIME,
    NODE,
    NPM,
    CHROMIUM,
    SQLITE3,
    PYTHON,
    PIP,
    IPTABLES,
];

/// Installs the packages of all programs that are missing.
///
/// # Errors
/// Where apt-get can't be run or fails.
pub fn install_missing() -> anyhow::Result<()> {
    install(&ALL)
}

/// Makes a Debian in a folder. It is installed where it is missing.
///
/// # Errors
/// Where apt-get can't be run or fails.
pub fn debootstrap() -> anyhow::Result<PathBuf> {
    install(&[DEBOOTSTRAP])?;
    DEBOOTSTRAP.find()
}

fn install(needs: &[Need]) -> anyhow::Result<()> {
    let missing: Vec<_> = needs.iter().filter(|need| need.path().is_none()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    println!("installing {packages}");
    apt_get(&["update", "-q"], &packages)?;
    apt_get(&[&["install", "-q", "-y", "--no-install-recommends"], missing.as_slice()].concat(), &packages)?;
    needs.iter().try_for_each(|need| need.find().map(drop)).context("after its package was installed")
}

impl Need {
    /// Where the program is.
    pub(crate) fn find(&self) -> anyhow::Result<PathBuf> {
        let Self { program, package, .. } = self;
        self.path().with_context(|| {
            format!("{program} is not installed; `cargo xtask test` installs it (Debian's package {package})")
        })
    }

    fn path(&self) -> Option<PathBuf> {
        let own = self.folders.iter().flat_map(|pattern| folders(pattern));
        let path = std::env::var_os("PATH").unwrap_or_default();
        own.chain(std::env::split_paths(&path)).map(|folder| folder.join(self.program)).find(|path| path.is_file())
    }
}

/// The folders that a pattern with at most one `*` stands for, the greatest name first.
fn folders(pattern: &str) -> Vec<PathBuf> {
    let Some((above, below)) = pattern.split_once("/*/") else { return vec![pattern.into()] };
    let Ok(entries) = Path::new(above).read_dir() else { return Vec::new() };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path().join(below)).collect();
    folders.sort_unstable_by(|a, b| b.cmp(a));
    folders
}

fn apt_get(arguments: &[&str], packages: &str) -> anyhow::Result<()> {
    let mut command = if is_root() { Command::new("apt-get") } else { Command::new("sudo") };
    if !is_root() {
        command.arg("apt-get");
    }
    let status = command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    let status = status.with_context(|| format!("can't run apt-get; install {packages} by hand"))?;
    ensure!(status.success(), "apt-get {} failed; install {packages} by hand", arguments.join(" "));
    Ok(())
}

/// Whether this process may do anything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
