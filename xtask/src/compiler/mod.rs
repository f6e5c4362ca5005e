//! The compiler that `cargo xtask test` gives to cargo: it lints and documents what it compiles.
//!
//! `cargo clippy` and `cargo doc` check all libraries of others once more, since cargo keeps what it checks apart from what it
//! compiles. As `RUSTC_WORKSPACE_WRAPPER`, this program is called in place of rustc, for the crates of the workspace alone. It
//! calls clippy's compiler, which is rustc with more lints, and then rustdoc, with the same libraries.
//!
//! Decision: D-080.

mod arguments;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::child::{cargo, target_folder};
use arguments::Arguments;

/// What cargo calls in place of rustc. Cargo keeps apart what different programs have compiled.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
/// What clippy's compiler is given beside cargo's arguments, with a separator behind each. `cargo clippy` sets the same.
const CLIPPY_ARGUMENTS: (&str, &str) = ("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");

/// What is done with each crate of the workspace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// It is linted, compiled and documented.
    Compile,
    /// It is linted. Where cargo expects a library or a program, it finds an empty file.
    Check,
}

impl Task {
    /// The name of the program that does it.
    const fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Check => "check",
        }
    }

    /// The variables with which cargo does it. Calls of cargo with the same task share what they compile.
    ///
    /// Makes a copy of this program, since cargo replaces this one while it compiles the workspace.
    pub(crate) fn environment(self) -> anyhow::Result<[(&'static str, String); 2]> {
        let this = std::env::current_exe().context("can't find this program")?;
        let folder = target_folder()?.join("xtask");
        let copy = folder.join(self.name());
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::copy(this, &copy))
            .with_context(|| format!("can't copy this program to {}", copy.display()))?;
        let (name, arguments) = CLIPPY_ARGUMENTS;
        Ok([(WRAPPER, copy.display().to_string()), (name, arguments.to_owned())])
    }

    /// What this program was copied for.
    fn of_this_program() -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("can't find this program")?;
        Ok(if this.file_name() == Some(OsStr::new(Self::Check.name())) { Self::Check } else { Self::Compile })
    }
}

/// The arguments for rustc, if cargo has called this program in its place.
pub(crate) fn arguments_for_rustc(arguments: &[OsString]) -> Option<&[OsString]> {
    let (program, rest) = arguments.split_first()?;
    (Path::new(program).file_stem() == Some(OsStr::new("rustc"))).then_some(rest)
}

/// Does its task with one crate. Whether that succeeded.
pub(crate) fn run(arguments: &[OsString]) -> anyhow::Result<bool> {
    let arguments = Arguments(arguments);
    let is_program = std::env::var_os("CARGO_BIN_NAME").is_some(); // cargo sets it for programs alone
    if !(arguments.is_library() || is_program) || arguments.is_test() {
        // Tests, benches and build scripts, and what cargo asks about rustc itself.
        return lint_and_compile(arguments.0);
    }
    match Task::of_this_program()? {
        Task::Compile => Ok(lint_and_compile(arguments.0)? && document(arguments, is_program)?),
        Task::Check => Ok(lint_and_compile(&arguments.for_check())? && leave_empty_file(arguments)?),
    }
}

fn lint_and_compile<S: AsRef<OsStr>>(arguments: &[S]) -> anyhow::Result<bool> {
    // With "rustc" in front, clippy's compiler takes the rest as rustc does.
    succeeds(Command::new(beside_cargo("clippy-driver")).arg("rustc").args(arguments))
}

fn document(arguments: Arguments<'_>, is_program: bool) -> anyhow::Result<bool> {
    let mut rustdoc = Command::new(beside_cargo("rustdoc"));
    rustdoc.args(arguments.for_rustdoc()).args(["-D", "warnings", "--out-dir"]).arg(target_folder()?.join("doc"));
    if is_program {
        // It has no public items.
        rustdoc.arg("--document-private-items");
    }
    succeeds(&mut rustdoc)
}

/// Cargo takes it for a library or a program that is as new as its source.
fn leave_empty_file(arguments: Arguments<'_>) -> anyhow::Result<bool> {
    let path = arguments.output().context("cargo has not said what to write")?;
    File::create(&path).with_context(|| format!("can't write {}", path.display()))?;
    Ok(true)
}

fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    let status = command.status().with_context(|| {
        let program = Path::new(command.get_program()).display();
        format!("can't run {program}, which rustup installs with its components clippy and rust-docs")
    })?;
    Ok(status.success())
}

/// A program of the same toolchain.
fn beside_cargo(name: &str) -> PathBuf {
    PathBuf::from(cargo()).with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_in_place_of_rustc_is_recognized() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(arguments_for_rustc(&words("/toolchain/bin/rustc -vV")), Some(&words("-vV")[..]));
        assert_eq!(arguments_for_rustc(&words("test")), None);
    }
}
