//! `cargo xtask dist`: netqoe as it is shipped, a Debian package and a tarball, with their checksums.

mod clean_root;
mod visitor;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use netqoe_package::{Compression, Modules, Release};
use serde_json::Value;

use crate::child::{build_to_ship, cargo, stopped_by_signals, target_folder};
use clean_root::CleanRoot;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Names the time of the sources where git can't be asked, as is usual for reproducible builds.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Builds, packs, and installs in a clean root where that is wanted.
pub(crate) fn run(options: &[String]) -> anyhow::Result<()> {
    let tries = match options.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--try"] => true,
        _ => bail!("dist has one option, --try"),
    };
    let stopped = stopped_by_signals()?;
    crate::page::check_node()?;
    let started = Instant::now();
    let program = build_to_ship(&stopped)?;
    println!("built in {} s: {}", started.elapsed().as_secs(), version_of(&program)?);
    let started = Instant::now();
    let packages = pack(program)?;
    for file in &packages.all {
        println!("{} ({} KB)", file.display(), file.metadata()?.len() / 1000);
    }
    println!("packed in {} s", started.elapsed().as_secs());
    if tries {
        let root = CleanRoot::make(&stopped)?;
        root.try_deb(&packages.deb)?;
        root.try_tarball(&packages.tarball)?;
    }
    Ok(())
}

struct Packages {
    deb: PathBuf,
    tarball: PathBuf,
    /// With their checksums.
    all: Vec<PathBuf>,
}

fn pack(program: PathBuf) -> anyhow::Result<Packages> {
    let folder = target_folder()?.join("packages");
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let release = Release {
        program,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        committed_s: committed_s()?,
        licences: licences()?,
    };
    let deb = netqoe_package::deb(&release, Compression::Xz, &folder)?;
    let tarball = netqoe_package::tarball(&release, &folder)?;
    let checksums = netqoe_package::checksums(&[deb.clone(), tarball.clone()], &folder)?;
    Ok(Packages { all: vec![deb.clone(), tarball.clone(), checksums], deb, tarball })
}

/// Those of the libraries for this machine, and of the page that was just built.
fn licences() -> anyhow::Result<String> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]);
    let metadata: Value = serde_json::from_str(&said(&mut command)?).context("cargo metadata says no JSON")?;
    let folder = target_folder()?.join("netqoe-page/web");
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .context("netqoe was built without its page; install what it wants, and unset NETQOE_WITHOUT_PAGE")?;
    let lock = serde_json::from_str(&lock).context("the page's lock file is not JSON")?;
    netqoe_package::licences(&metadata, Some(&Modules { lock: &lock, folder: &folder }))
}

/// The time of the commit; where there is no git, the present.
fn committed_s() -> anyhow::Result<u64> {
    if let Ok(epoch) = std::env::var(EPOCH) {
        return epoch.parse().with_context(|| format!("{EPOCH} is no number of seconds: {epoch}"));
    }
    match said(Command::new("git").args(["show", "--no-patch", "--format=%ct", "HEAD"])) {
        Ok(seconds) => seconds.trim().parse().context("git says no time"),
        Err(_) => Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()),
    }
}

fn version_of(program: &Path) -> anyhow::Result<String> {
    Ok(said(Command::new(program).arg("--version"))?.trim().to_owned())
}

/// What a command says on standard output, run in the repository.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(ROOT).output().with_context(|| format!("can't run {name}"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
