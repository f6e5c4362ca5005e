//! What is installed, of either kind of package.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::command::said;
use crate::layout::Layout;
use crate::tree::Tree;
use crate::{Release, sources};

/// Where the program writes manual pages and completions: `netqoe/src/commands/documents.rs`.
const MANUAL: &str = "man1";
const COMPLETIONS: &str = "completions";

/// All files but those that only one kind of package has.
pub(crate) fn content(release: &Release, layout: &Layout) -> anyhow::Result<Tree> {
    let mut tree = Tree::default();
    let Layout { prefix, zsh, configuration } = layout;
    tree.program(format!("{prefix}bin/netqoe"), &release.program);
    add_documents(&mut tree, &release.program, prefix, zsh)?;
    for (name, text) in units()? {
        tree.file(format!("{prefix}lib/systemd/system/{name}"), text);
    }
    tree.file(format!("{prefix}lib/sysusers.d/netqoe.conf"), source("deploy/systemd/netqoe.sysusers.conf")?);
    tree.file(*configuration, source("deploy/netqoe.toml")?);
    tree.file(format!("{prefix}share/doc/netqoe/third-party-licences.txt.gz"), gzip(release.licences.as_bytes())?);
    Ok(tree)
}

fn add_documents(tree: &mut Tree, program: &Path, prefix: &str, zsh: &str) -> anyhow::Result<()> {
    let written = tempfile::tempdir().context("can't make a temporary folder")?;
    // No file of this folder is to be the program's configuration.
    let folder = written.path();
    said(Command::new(program).env_clear().current_dir(folder).args(["documents", "--to"]).arg(folder))?;
    for (name, text) in files(&folder.join(MANUAL))? {
        tree.file(format!("{prefix}share/man/man1/{name}.gz"), gzip(&text)?);
    }
    for (written_as, installed_as) in [
        ("netqoe.bash", "share/bash-completion/completions/netqoe".to_owned()),
        ("_netqoe", format!("{zsh}/_netqoe")),
        ("netqoe.fish", "share/fish/vendor_completions.d/netqoe.fish".to_owned()),
    ] {
        let text = fs::read(folder.join(COMPLETIONS).join(written_as)).context("a completion is missing")?;
        tree.file(format!("{prefix}{installed_as}"), text);
    }
    Ok(())
}

fn units() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let all = files(&sources().join("deploy/systemd"))?;
    Ok(all.into_iter().filter(|(name, _)| name.ends_with(".service")).collect())
}

/// The files of a folder, by name.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        files.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    Ok(files)
}

/// A file of the repository.
pub(crate) fn source(path: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(sources().join(path)).with_context(|| format!("can't read {path}"))
}

/// Without a time, so that the same text is the same file.
pub(crate) fn gzip(plain: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}
