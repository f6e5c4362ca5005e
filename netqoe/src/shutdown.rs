//! The first SIGTERM or Ctrl-C lets everything finish what it holds; the second ends the process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The process's end where a second signal came: as shells report a process that a SIGINT ended.
const ENDED_BY_SIGNAL: i32 = 130;

/// Cancelled at the first signal.
pub(crate) fn on_signals() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = CancellationToken::new();
    let first = token.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first.is_cancelled() {
                tracing::warn!("ended at once by a second signal; what was not committed is read from the log again");
                std::process::exit(ENDED_BY_SIGNAL);
            }
            tracing::info!("draining; a second signal ends at once");
            crate::systemd::stopping();
            first.cancel();
        }
    });
    Ok(token)
}
