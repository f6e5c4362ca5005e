//! What the tests need beyond cargo, from Debian's packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// A program that tests start.
pub(crate) struct Need {
    /// The program's name.
    program: &'static str,
    /// The package that brings it.
    package: &'static str,
    /// Folders where it may be, beside those of PATH; `*` stands for any one folder.
    folders: &'static [&'static str],
}

/// PostgreSQL's server programs are not on PATH in Debian.
pub(crate) const INITDB: Need =
    Need { program: "initdb", package: "postgresql", folders: &["/usr/lib/postgresql/*/bin"] };

/// The guide's load test.
pub(crate) const AB: Need = Need { program: "ab", package: "apache2-utils", folders: &[] };

impl Need {
    /// Where the program is; its package is installed if it is nowhere.
    pub(crate) fn find_or_install(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.find() {
            return Ok(path);
        }
        install(self.package)?;
        self.find().with_context(|| format!("{} is not there after {} was installed", self.program, self.package))
    }

    fn find(&self) -> Option<PathBuf> {
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

fn install(package: &str) -> anyhow::Result<()> {
    println!("installing {package}");
    for arguments in [&["update", "-q"][..], &["install", "-q", "-y", "--no-install-recommends", package][..]] {
        let mut command = if is_root() { Command::new("apt-get") } else { Command::new("sudo") };
        if !is_root() {
            command.arg("apt-get");
        }
        let status = command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        let status = status.with_context(|| format!("can't run apt-get; install {package} by hand"))?;
        ensure!(status.success(), "apt-get {} failed; install {package} by hand", arguments.join(" "));
    }
    Ok(())
}

/// Whether this process may do anything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
