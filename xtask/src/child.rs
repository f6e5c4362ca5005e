//! Commands that are waited for, and ended where this program is asked to stop.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// How often a running command is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// Set by Ctrl-C and SIGTERM, so that whatever was started is stopped first.
pub(crate) fn stopped_by_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    ctrlc::set_handler(move || stop.store(true, Ordering::SeqCst)).context("can't listen for signals")?;
    Ok(stopped)
}

/// Whether the command succeeds. An error where it was stopped, or could not be started.
pub(crate) fn succeeds(command: &mut Command, stopped: &AtomicBool) -> anyhow::Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("can't run {name}"))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if stopped.load(Ordering::SeqCst) {
            child.kill()?;
            child.wait()?;
            bail!("stopped");
        }
        std::thread::sleep(EVERY);
    }
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Whether cargo has this further command, which only some machines have.
pub(crate) fn has_extension(name: &str) -> bool {
    let mut command = Command::new(cargo());
    command.args([name, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds netqoe for debugging, and returns the program.
pub(crate) fn build(stopped: &AtomicBool) -> anyhow::Result<PathBuf> {
    build_with(&[], stopped)?;
    program("debug")
}

/// Builds netqoe as it is shipped, but with its benches, and returns the program.
pub(crate) fn build_with_benches(stopped: &AtomicBool) -> anyhow::Result<PathBuf> {
    build_with(&["--profile", "dist", "--features", "bench"], stopped)?;
    program("dist")
}

/// Builds netqoe as it is shipped, and returns the program.
pub(crate) fn build_to_ship(stopped: &AtomicBool) -> anyhow::Result<PathBuf> {
    build_with(&["--profile", "dist"], stopped)?;
    program("dist")
}

fn build_with(options: &[&str], stopped: &AtomicBool) -> anyhow::Result<()> {
    let mut command = Command::new(cargo());
    command.args(["build", "--locked", "-p", "netqoe"]).args(options);
    ensure!(succeeds(&mut command, stopped)?, "netqoe could not be built");
    Ok(())
}

/// Where cargo leaves netqoe. `profile` is the name of its folder, `debug` or `dist`.
pub(crate) fn program(profile: &str) -> anyhow::Result<PathBuf> {
    Ok(target_folder()?.join(profile).join("netqoe"))
}

/// The folder of all that cargo builds, this program among it.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe().context("can't find this program")?;
    let profiles = this.parent().and_then(Path::parent).context("this program is not in cargo's folder")?;
    Ok(profiles.to_owned())
}
