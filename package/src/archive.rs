//! The tarball: the same files, to be unpacked into /usr/local.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Release;
use crate::content::{content, source};
use crate::layout::LOCAL;

/// Makes the tarball in this folder, and returns its path. All that it holds is in one folder of its own.
///
/// # Errors
/// Where a file can't be read or written, or `tar` fails.
pub fn tarball(release: &Release, folder: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("netqoe-{}-linux-x86_64", release.version);
    let staged = tempfile::tempdir_in(folder).context("can't make a temporary folder")?;
    let mut tree = content(release, &LOCAL)?;
    tree.file("share/doc/netqoe/LICENSE", source("LICENSE")?);
    tree.file("share/doc/netqoe/CHANGELOG.md", source("CHANGELOG.md")?);
    tree.file("share/doc/netqoe/install.md", source("docs/operations/install.md")?);
    tree.write(&staged.path().join(&name))?;

    let path = folder.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]);
    tar.arg(format!("--mtime=@{}", release.committed_s)).arg("--directory").arg(staged.path()).arg(&name);
    let mut child = tar.stdout(Stdio::piped()).spawn().context("can't run tar")?;
    let mut output = child.stdout.take().context("tar has no output")?;
    let file = File::create(&path).with_context(|| format!("can't write {}", path.display()))?;
    let mut encoder = GzEncoder::new(file, Compression::best());
    io::copy(&mut output, &mut encoder).and_then(|_| encoder.finish()).context("can't write the tarball")?;
    ensure!(child.wait()?.success(), "tar failed, see above");
    Ok(path)
}
