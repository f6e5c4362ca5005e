//! A Debian in a folder, with nothing in it but what Debian puts there; packages are installed, run and removed in it. It is made from the
//! mirror that this machine has its own packages from, and nothing is mounted in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::said;
use super::visitor::visit_demo;
use crate::child::succeeds;

/// What apt and dpkg write down whatever the package is, and where users are: the user of a package stays.
const NOT_OF_A_PACKAGE: [&str; 10] = [
    "var/lib/dpkg",
    "var/lib/apt",
    "var/log",
    "var/cache",
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/gshadow",
    "etc/.pwd.lock",
    "etc/ld.so.cache",
];
/// Where `up` of the package keeps its data. systemd makes it; here nobody does.
const DATA: &str = "/var/lib/netqoe";

/// The root, which is removed once this is dropped.
pub(super) struct CleanRoot(TempDir);

impl CleanRoot {
    /// Makes a root of the Debian that this machine has.
    pub(super) fn make(stopped: &AtomicBool) -> anyhow::Result<Self> {
        ensure!(
            netqoe_testbed::is_root(),
            "a clean root is made by root; cargo xtask dist without --try needs no root"
        );
        let debootstrap = netqoe_testbed::debootstrap()?;
        let folder = tempfile::tempdir().context("can't make a temporary folder")?;
        let (suite, mirror) = own_mirror()?;
        let root = Self(folder);
        timed(&format!("a clean root of Debian's {suite}"), || {
            let mut command = Command::new(debootstrap);
            command.arg(&suite).arg(root.path()).arg(&mirror).stdout(std::process::Stdio::null());
            ensure!(succeeds(&mut command, stopped)?, "debootstrap failed, see above");
            Ok(())
        })?;
        Ok(root)
    }

    /// Installs the package, shows the demo's page, and removes and purges the package again.
    pub(super) fn try_deb(&self, deb: &Path) -> anyhow::Result<()> {
        let before = self.files()?;
        std::fs::copy(deb, self.path().join("netqoe.deb")).context("can't copy the package")?;
        timed("install the .deb", || {
            self.run(&["apt-get", "install", "-q", "-y", "--no-install-recommends", "/netqoe.deb"])
        })?;
        std::fs::remove_file(self.path().join("netqoe.deb"))?;
        self.run(&["netqoe", "config", "check", "--config", "/etc/netqoe/netqoe.toml"])?;
        self.run(&["install", "-d", "-o", "netqoe", "-g", "netqoe", "-m", "0700", DATA])?;
        timed("the demo's page, by the .deb", || visit_demo(self.path(), "/usr/bin/netqoe", DATA))?;

        timed("remove the .deb", || self.run(&["apt-get", "remove", "-q", "-y", "netqoe"]))?;
        ensure!(
            !self.path().join("usr/bin/netqoe").exists(),
            "the program is still there after its package was removed"
        );
        ensure!(self.path().join("etc/netqoe/netqoe.toml").exists(), "the configuration is gone before it was purged");
        timed("purge the .deb", || self.run(&["apt-get", "purge", "-q", "-y", "netqoe"]))?;
        self.must_be_as(&before)
    }

    /// Unpacks the tarball into /usr/local, shows the demo's page, and removes what was unpacked.
    pub(super) fn try_tarball(&self, tarball: &Path) -> anyhow::Result<()> {
        let before = self.files()?;
        let local = self.path().join("usr/local");
        timed("unpack the tarball", || {
            said(Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(tarball).arg("-C").arg(&local))
                .map(drop)
        })?;
        let added: Vec<_> = self.files()?.difference(&before).map(|path| self.path().join(path)).collect();
        self.run(&["systemd-sysusers", "/usr/local/lib/sysusers.d/netqoe.conf"])?;
        self.run(&["install", "-d", "-o", "netqoe", "-g", "netqoe", "-m", "0700", DATA])?;
        timed("the demo's page, by the tarball", || visit_demo(self.path(), "/usr/local/bin/netqoe", DATA))?;
        std::fs::remove_dir_all(self.path().join(DATA.trim_start_matches('/')))?;
        // What is in a folder comes after it.
        for path in added.iter().rev() {
            if path.is_dir() { std::fs::remove_dir(path) } else { std::fs::remove_file(path) }
                .with_context(|| format!("can't remove {}", path.display()))?;
        }
        self.must_be_as(&before)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command in it.
    fn run(&self, words: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("chroot");
        command.arg(self.path()).args(words).env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
        said(&mut command).map(drop)
    }

    /// The paths of all that is in it, but for what changes whatever is installed.
    fn files(&self) -> anyhow::Result<BTreeSet<PathBuf>> {
        let listed = said(Command::new("find").arg(self.path()).args(["-xdev", "-printf", "%P\\n"]))?;
        let is_of_a_package = |path: &&str| !NOT_OF_A_PACKAGE.iter().any(|other| path.starts_with(other));
        Ok(listed.lines().filter(is_of_a_package).map(PathBuf::from).collect())
    }

    fn must_be_as(&self, before: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        let now = self.files()?;
        let differs: Vec<_> = now.symmetric_difference(before).map(|path| path.display().to_string()).collect();
        ensure!(differs.is_empty(), "not as before: {}", differs.join(", "));
        println!("== nothing is left of it");
        Ok(())
    }
}

/// The name of this machine's Debian, and where its packages come from.
fn own_mirror() -> anyhow::Result<(String, String)> {
    let release = std::fs::read_to_string("/etc/os-release").context("can't tell which Debian this is")?;
    let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).context("this is no Debian")?;
    let format = ["indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"];
    let targets = said(Command::new("apt-get").args(format))?;
    let wanted = format!("{suite} main ");
    let mirror = targets.lines().find_map(|line| line.strip_prefix(&wanted));
    let mirror = mirror.with_context(|| format!("apt has no source of Debian's {suite}; run apt-get update"))?;
    Ok((suite.to_owned(), mirror.to_owned()))
}

/// Does something, and prints how long it took.
fn timed(what: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let started = Instant::now();
    work().with_context(|| what.to_owned())?;
    println!("== {what}: {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
