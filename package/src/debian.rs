//! The Debian package, made by `dpkg-deb` from files and the scripts in `deploy/debian`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::command::said;
use crate::content::{content, gzip, source};
use crate::layout::DEBIAN;
use crate::tree::Tree;
use crate::{Release, libraries};

/// Of the packaging: the first of each version of netqoe.
const REVISION: &str = "1";
const ARCHITECTURE: &str = "amd64";
/// Makes the user of the units. Where there is no systemd, its own small package brings it.
const SYSUSERS: &str = "systemd | systemd-standalone-sysusers | systemd-sysusers";
const DOCUMENTS: &str = "usr/share/doc/netqoe";

/// How small a package is to be.
#[derive(Clone, Copy, Debug)]
pub enum Compression {
    /// As small as its readers allow, which takes time.
    Xz,
    /// Not at all, for tests.
    None,
}

/// Makes the package in this folder, and returns its path.
///
/// # Errors
/// Where a file can't be read or written, or a program of Debian's fails.
pub fn deb(release: &Release, compression: Compression, folder: &Path) -> anyhow::Result<PathBuf> {
    let version = format!("{}-{REVISION}", release.version);
    let staged = tempfile::tempdir_in(folder).context("can't make a temporary folder")?;
    let mut tree = content(release, &DEBIAN)?;
    tree.file(format!("{DOCUMENTS}/copyright"), source("deploy/debian/copyright")?);
    tree.file(format!("{DOCUMENTS}/changelog.gz"), gzip(&source("CHANGELOG.md")?)?);
    tree.file(format!("{DOCUMENTS}/changelog.Debian.gz"), gzip(changelog(&version, release.committed_s)?.as_bytes())?);
    let bytes = tree.write(staged.path())?;
    control(release, &version, bytes)?.write(staged.path())?;

    let path = folder.join(format!("netqoe_{version}_{ARCHITECTURE}.deb"));
    let compression = match compression {
        Compression::Xz => "-Zxz",
        Compression::None => "-Znone",
    };
    let mut dpkg_deb = Command::new("dpkg-deb");
    dpkg_deb.env("SOURCE_DATE_EPOCH", release.committed_s.to_string());
    said(dpkg_deb.args(["--root-owner-group", compression, "--build"]).arg(staged.path()).arg(&path))?;
    Ok(path)
}

/// What dpkg reads of the package.
fn control(release: &Release, version: &str, bytes: u64) -> anyhow::Result<Tree> {
    let mut tree = Tree::default();
    let libraries = libraries::depends(&release.program)?;
    let depends = libraries.into_iter().chain([SYSUSERS.to_owned()]).collect::<Vec<_>>().join(", ");
    let kibibytes = bytes.div_ceil(1024);
    let fields = format!(
        "Package: netqoe\nVersion: {version}\nArchitecture: {ARCHITECTURE}\nMaintainer: {MAINTAINER}\n\
         Installed-Size: {kibibytes}\nDepends: {depends}\nRecommends: ca-certificates\nSection: net\nPriority: optional\n\
         Description: network quality of experience: which clients and targets are degraded\n\
         \x20Probes measure targets phase by phase. netqoe keeps what they send, judges each minute of each pair of\n\
         \x20client and target by rules, and shows since when a pair is degraded, and why.\n"
    );
    tree.file("DEBIAN/control", fields);
    tree.file("DEBIAN/conffiles", format!("/{}\n", DEBIAN.configuration));
    for script in ["postinst", "prerm", "postrm"] {
        tree.script(format!("DEBIAN/{script}"), source(&format!("deploy/debian/{script}"))?);
    }
    Ok(tree)
}

/// Debian wants an address here. Nobody reads this one: packages are built by whoever installs them.
const MAINTAINER: &str = "The authors of netqoe <netqoe@localhost>";

/// The changelog of the packaging. Netqoe's own is beside it.
fn changelog(version: &str, committed_s: u64) -> anyhow::Result<String> {
    let date = said(Command::new("date").args(["--utc", "--rfc-email", &format!("--date=@{committed_s}")]))?;
    let date = date.trim();
    Ok(format!("netqoe ({version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- {MAINTAINER}  {date}\n"))
}
