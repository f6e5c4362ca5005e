//! What changes while the process runs: on SIGHUP, and on `POST /-/reload` of the admin port.
//!
//! Decision: D-094.

use std::net::SocketAddr;
use std::sync::Arc;

use netqoe_probe::PlannedTarget;
use netqoe_server::{ReadTls, Replaced, Tls, Tokens};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::options::{Cli, Command};
use crate::process::{self, Process};
use crate::systemd;

/// Options whose changes hold at once.
const AT_ONCE: [&str; 19] = [
    "--tokens",
    "--tokens-file",
    "--target",
    "--expect-status",
    "--expect-text",
    "--expect-header",
    "--expect-certificate-days",
    "--method",
    "--header",
    "--body",
    "--user",
    "--password-file",
    "--bearer-token-file",
    "--client-certificate",
    "--client-key",
    "--ca-file",
    "--insecure",
    "--proxy",
    "--log-level",
];
const RULES: &str = "--rules";
/// How the line begins that says that nothing was done.
const NOT_RELOADED: &str = "the configuration was not read again, and everything stays as it is";

/// Reads the configuration again when it is asked to.
pub(super) struct Reload {
    process: Arc<Process>,
    can_change: CanChange,
    /// What is logged, as the configuration had it last; also so that one reload happens at a time. What was set on the admin port stays
    /// until the configuration says something else.
    level: Mutex<Option<String>>,
}

/// What a command can change while it runs.
#[derive(Default)]
pub(super) struct CanChange {
    /// With the address at which they are needed.
    pub(super) tokens: Option<(Tokens, SocketAddr)>,
    /// Whose files are read again.
    pub(super) tls: Option<Tls>,
    pub(super) targets: Option<watch::Sender<Vec<PlannedTarget>>>,
}

/// What a reload did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Reloaded {
    pub(super) changed: Vec<String>,
    pub(super) needs_restart: Vec<String>,
}

/// What the configuration says now of what can change.
struct New {
    tls: Option<ReadTls>,
    tokens: Option<Tokens>,
    targets: Option<Vec<PlannedTarget>>,
    level: Option<String>,
    needs_restart: Vec<String>,
}

/// To be called before anything else that takes time: until then, a SIGHUP ends the process.
pub(super) fn hangups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Reload {
    pub(super) fn new(process: &Arc<Process>, can_change: CanChange) -> Arc<Self> {
        let level = Mutex::new(process.cli.log_level.clone());
        Arc::new(Self { process: Arc::clone(process), can_change, level })
    }

    /// Reads the configuration again on each SIGHUP, until `stop`.
    pub(super) async fn on_signal(self: Arc<Self>, mut hangups: Signal, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = hangups.recv() => {}
            }
            let reload = Arc::clone(&self);
            // What became of it is in the log.
            tokio::task::spawn_blocking(move || reload.now().map(drop)).await.ok();
        }
    }

    /// Reads the configuration again: all of it is taken, or nothing. Blocks for as long as reading files does.
    pub(super) fn now(&self) -> Result<Reloaded, String> {
        let mut level = self.level.lock();
        let reloaded = systemd::reloading(|| self.read().and_then(|new| self.apply(new, &mut level)));
        let reloaded = reloaded.map_err(|why| format!("{NOT_RELOADED}: {why}"));
        match &reloaded {
            Ok(reloaded) => reloaded.log(),
            Err(error) => tracing::error!("{error}"),
        }
        reloaded
    }

    fn read(&self) -> Result<New, String> {
        let (loaded, cli) = process::read().map_err(|refused| refused.messages().join("; "))?;
        let mut needs_restart = self.process.configuration.differences(&loaded);
        needs_restart.retain(|option| !AT_ONCE.contains(&option.as_str()));
        if rules(&self.process.cli) != rules(&cli) && !needs_restart.iter().any(|option| option == RULES) {
            needs_restart.push(RULES.to_owned());
        }
        let (server, targets) = match &cli.command {
            Command::Up(options) => (Some(&options.server), Some(options.probe.given())),
            Command::Ingest(options) => (Some(&options.server), None),
            Command::Aggregate(options) => (Some(&options.server), None),
            Command::Serve(options) => (Some(&options.server), None),
            Command::Probe(options) => (None, Some(options.given())),
            _ => (None, None),
        };
        let targets = targets.transpose().map_err(|error| error.to_string())?;
        let tokens = server.map(|server| server.tokens()).transpose().map_err(|error| format!("{error:#}"))?;
        if let (Some(tokens), Some((_, address))) = (&tokens, &self.can_change.tokens) {
            tokens.check_address(*address).map_err(|error| error.to_string())?;
        }
        let tls = self.can_change.tls.as_ref().map(Tls::read_again).transpose();
        let tls = tls.map_err(|error| error.to_string())?;
        Ok(New { tls, tokens, targets, level: cli.log_level, needs_restart })
    }

    fn apply(&self, new: New, level: &mut Option<String>) -> Result<Reloaded, String> {
        let mut changed = Vec::new();
        // First what may fail.
        if new.level != *level {
            self.process.levels.set(&new.level.clone().unwrap_or_else(crate::logging::default_level))?;
            changed.push(format!("log level ({})", self.process.levels.get()));
            *level = new.level;
        }
        if let (Some(tokens), Some((present, _))) = (&new.tokens, &self.can_change.tokens) {
            let Replaced { added, withdrawn } = present.replace(tokens);
            if added + withdrawn > 0 {
                changed.push(format!("tokens ({added} new, {withdrawn} withdrawn)"));
            }
        }
        if let (Some(read), Some(present)) = (new.tls, &self.can_change.tls)
            && present.take(read)
        {
            changed.push("certificate".to_owned());
        }
        if let (Some(targets), Some(present)) = (new.targets, &self.can_change.targets) {
            let count = targets.len();
            let is_new = present.send_if_modified(|present| {
                let is_new = *present != targets;
                *present = targets;
                is_new
            });
            if is_new {
                changed.push(format!("targets ({count})"));
            }
        }
        Ok(Reloaded { changed, needs_restart: new.needs_restart })
    }
}

impl Reloaded {
    fn log(&self) {
        let changed = if self.changed.is_empty() { "nothing".to_owned() } else { self.changed.join(", ") };
        tracing::info!("the configuration was read again; changed: {changed}");
        if !self.needs_restart.is_empty() {
            let options = self.needs_restart.join(", ");
            tracing::warn!(
                "{options} changed in the configuration and need a restart; until then they stay as they are"
            );
        }
    }
}

/// The rules of a command that has some, with what their file says.
fn rules(cli: &Cli) -> Option<netqoe_model::Rules> {
    match &cli.command {
        Command::Up(options) => Some(options.rules.rules()),
        Command::Aggregate(options) => Some(options.rules.rules()),
        Command::Serve(options) => Some(options.rules.rules()),
        _ => None,
    }
}
