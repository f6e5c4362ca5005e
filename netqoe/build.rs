//! Tells the program which commit it is built from. It does not say whether files differ from that commit: cargo would have to ask git
//! before each build.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the commit where git can't be asked, as in an image that is built without the repository.
const COMMIT: &str = "NETQOE_COMMIT";
/// What `--version` says; the program reads it.
const VERSION: &str = "NETQOE_VERSION";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let given = std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    let built_from = match given.or_else(commit) {
        Some(commit) => format!("commit {commit}"),
        None => "commit unknown: built without git".to_owned(),
    };
    println!("cargo::rustc-env={VERSION}={} ({built_from})", env!("CARGO_PKG_VERSION"));
}

/// The commit of these sources, and its day. None where they are no git repository of their own: one that they were unpacked in has
/// other commits.
fn commit() -> Option<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.canonicalize().ok()?;
    let repository = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if repository != top {
        return None;
    }
    // The second one tells of each commit, and is not there in every repository. A file that is not there would be news to each build.
    for name in ["HEAD", "logs/HEAD"] {
        let file = PathBuf::from(git(&["rev-parse", "--path-format=absolute", "--git-path", name])?);
        if file.is_file() {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    git(&["show", "--no-patch", "--no-show-signature", "--abbrev=12", "--format=%h of %cs", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}
