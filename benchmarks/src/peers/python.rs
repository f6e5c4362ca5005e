//! The Python that runs other engines and measures all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;
use tempfile::TempDir;

/// The scripts, each of which says what it does.
const SCRIPTS: [(&str, &str); 5] = [
    ("chdb_rows.py", include_str!("../../peers/chdb_rows.py")),
    ("duckdb_rows.py", include_str!("../../peers/duckdb_rows.py")),
    ("measured.py", include_str!("../../peers/measured.py")),
    ("store_rows.py", include_str!("../../peers/store_rows.py")),
    ("versions.py", include_str!("../../peers/versions.py")),
];

/// What a run took: the whole process, its start and its end among it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
    pub(super) peak_memory_bytes: u64,
}

/// An interpreter, and the scripts on disk.
pub(super) struct Python {
    program: PathBuf,
    scripts: TempDir,
}

impl Python {
    /// The interpreter behind this name. What is on PATH may be a program that looks for it first, and takes time for that.
    pub(super) fn find(name: &Path) -> anyhow::Result<Self> {
        let named = || format!("can't run {}; --python names a Python", name.display());
        let said = said_by(Command::new(name).args(["-c", "import sys; print(sys.executable)"])).with_context(named)?;
        ensure!(
            !said.trim().is_empty(),
            "{} does not know where it is; give its whole path to --python",
            name.display()
        );
        let scripts = tempfile::tempdir().context("can't make a temporary folder")?;
        for (name, script) in SCRIPTS {
            std::fs::write(scripts.path().join(name), script).context("can't write to a temporary folder")?;
        }
        Ok(Self { program: said.trim_end().into(), scripts })
    }

    /// What runs beside netqoe, and in which version.
    pub(super) fn versions(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let said = said_by(&mut self.script("versions.py"))
            .context("this Python can't run DuckDB and chDB; `cargo xtask bench peers` gets both from PyPI")?;
        serde_json::from_str(&said).context("the versions of the engines can't be read")
    }

    /// A script, as yet without arguments.
    pub(super) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.scripts.path().join(name));
        command
    }

    /// Runs a command in this folder.
    pub(super) fn measure(&self, command: &Command, folder: &Path) -> anyhow::Result<Cost> {
        let mut measured = self.script("measured.py");
        measured.arg(command.get_program()).args(command.get_args()).current_dir(folder);
        serde_json::from_str(&said_by(&mut measured)?).context("what a run took can't be read")
    }
}

pub(super) fn succeeds(command: &mut Command) -> anyhow::Result<()> {
    said_by(command).map(drop)
}

/// Its standard output.
fn said_by(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "it ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
