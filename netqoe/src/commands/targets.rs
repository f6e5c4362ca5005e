//! What is measured: from the command line, and from files that are followed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use netqoe_probe::{MAX_LIST_BYTES, PlannedTarget, parse_target_list};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::options::ProbeOptions;

/// How often files are read again. They are small, and not every file system tells of changes.
const EVERY: Duration = Duration::from_secs(2);

pub(super) struct TargetSource {
    given: watch::Receiver<Vec<PlannedTarget>>,
    files: Vec<PathBuf>,
}

impl TargetSource {
    /// Those that are given, and those of the options' files.
    pub(super) fn new(given: watch::Receiver<Vec<PlannedTarget>>, options: &ProbeOptions) -> Self {
        Self { given, files: options.targets_file.clone() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.borrow().is_empty() && self.files.is_empty()
    }

    /// All targets, each once.
    pub(super) fn read(&self) -> anyhow::Result<Vec<PlannedTarget>> {
        let mut targets = self.given.borrow().clone();
        for path in &self.files {
            let shown = path.display();
            let bytes = read(path).with_context(|| format!("can't read the targets in {shown}"))?;
            let listed = parse_target_list(path, &bytes);
            let folder = path.parent().unwrap_or(Path::new(""));
            let planned = listed
                .and_then(|listed| listed.iter().map(|listed| listed.plan(folder)).collect::<Result<Vec<_>, _>>());
            targets.extend(planned.with_context(|| format!("{shown} is no list of targets"))?);
        }
        let mut seen = std::collections::HashSet::new();
        targets.retain(|planned| seen.insert(planned.target.as_str().to_owned()));
        Ok(targets)
    }

    /// Hands on every new list until `stop`. One that can't be read leaves the old one as it is.
    pub(super) async fn follow(
        mut self,
        list: watch::Sender<Vec<PlannedTarget>>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut hangup = signal(SignalKind::hangup()).context("can't listen for SIGHUP")?;
        let mut complaint = String::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(EVERY), if !self.files.is_empty() => {}
                _ = hangup.recv() => complaint.clear(),
                Ok(()) = self.given.changed() => {}
            }
            match self.read() {
                Ok(targets) => {
                    complaint.clear();
                    let is_new = |known: &mut Vec<PlannedTarget>| {
                        let is_new = *known != targets;
                        known.clone_from(&targets);
                        is_new
                    };
                    if list.send_if_modified(is_new) {
                        tracing::info!(targets = targets.len(), "a new list of targets");
                    }
                }
                Err(error) => {
                    let message = format!("{error:#}");
                    if message != complaint {
                        tracing::warn!("the targets are left as they are: {message}");
                        complaint = message;
                    }
                }
            }
        }
    }
}

/// The whole file, or more of it than a list can have: it may be something that never ends.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LIST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
