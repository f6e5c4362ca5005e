//! While the data file can't be opened for a reason that passes, or history is imported: the port answers, and says what is in the way.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use netqoe_eventlog::LogError;
use netqoe_server::{ComponentCheck, OperationsAccess, ServerLimits, Tls};
use netqoe_sinks::StoreError;
use netqoe_sinks::read::ReadError;
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::process_metrics;

/// How long to wait before the file is opened again: opening waits for a lock by itself.
const PAUSE: Duration = Duration::from_secs(1);
/// When a client is to come back, in seconds.
const RETRY_AFTER_S: u64 = 5;

/// A start that may have to wait.
pub(super) struct Starting<'a> {
    listener: &'a TcpListener,
    tls: Option<Tls>,
    limits: ServerLimits,
    access: OperationsAccess,
    stop: CancellationToken,
    reason: Arc<Mutex<String>>,
    answering: Option<(CancellationToken, JoinHandle<()>)>,
}

impl<'a> Starting<'a> {
    /// Of a server that will be listening here, unless the process is asked to `stop` before.
    pub(super) fn new(
        listener: &'a TcpListener,
        tls: Option<Tls>,
        limits: ServerLimits,
        access: OperationsAccess,
        stop: CancellationToken,
    ) -> Self {
        Self { listener, tls, limits, access, stop, reason: Arc::default(), answering: None }
    }

    /// Opens what the server needs, again and again while that fails for a reason that passes. Blocks its thread; to be
    /// called within the runtime that answers meanwhile.
    pub(super) fn insist<T>(&mut self, mut open: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
        loop {
            let error = match open() {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            let Some(reason) = passing(&error).filter(|_| !self.stop.is_cancelled()) else { return Err(error) };
            if *self.reason.lock() != reason {
                tracing::warn!("{error:#}; it is tried again until that is over");
            }
            self.say(&reason)?;
            thread::sleep(PAUSE);
        }
    }

    /// From now on, the port answers that the server waits for this. To be called within the runtime.
    pub(super) fn say(&mut self, reason: &str) -> anyhow::Result<()> {
        reason.clone_into(&mut self.reason.lock());
        if self.answering.is_none() {
            self.answering = Some(self.answer()?);
        }
        Ok(())
    }

    /// Leaves the port to the server.
    pub(super) async fn end(self) {
        if let Some((answering, task)) = self.answering {
            answering.cancel();
            task.await.ok(); // how it ended is said by itself
        }
    }

    fn answer(&self) -> anyhow::Result<(CancellationToken, JoinHandle<()>)> {
        let listener = self.listener.try_clone().context("can't listen while waiting")?;
        let (reason, stop, limits) = (Arc::clone(&self.reason), self.stop.child_token(), self.limits.clone());
        let tls = self.tls.clone();
        let check = move || Err(reason.lock().clone());
        let check = ComponentCheck { component: "store", needed_for_ready: true, check: Box::new(check) };
        let app =
            netqoe_server::assemble([], process_metrics::metrics(), vec![check], self.access.clone()).fallback(not_yet);
        let ended = stop.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = netqoe_server::serve_over(tls.as_ref(), listener, app, &limits, ended).await {
                tracing::warn!("while waiting: {error}");
            }
        });
        Ok((stop, task))
    }
}

/// Every route that is still to come.
async fn not_yet() -> impl IntoResponse {
    let message = "netqoe is starting; GET /health says what it waits for";
    let body = json!({ "error": "service_unavailable", "message": message, "retry_after": RETRY_AFTER_S });
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER_S.to_string())], Json(body))
}

/// What is in the way, where that passes. It names no place: anybody may ask for it.
fn passing(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return error.may_pass().then(|| error.without_place());
    }
    if let Some(LogError::Unavailable { reason, .. }) = error.downcast_ref() {
        return Some(format!("can't open the log for now: {reason}"));
    }
    match error.downcast_ref() {
        Some(ReadError::Unavailable { reason, .. }) => Some(format!("can't read the store for now: {reason}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_without_its_place() {
        let reason = || "locked".to_owned();
        let log = LogError::Unavailable { path: "/secret".into(), reason: reason() };
        let store =
            StoreError::Unavailable { store: "sqlite:/secret".to_owned(), doing: "be opened", reason: reason() };
        for error in [anyhow::Error::new(log), anyhow::Error::new(store).context("can't start")] {
            let said = passing(&error).unwrap();
            assert!(said.contains("locked") && !said.contains("secret"), "{said}");
        }
        let corrupt = StoreError::Corrupt { path: "a".into(), reason: reason() };
        assert_eq!(passing(&anyhow::Error::new(corrupt)), None);
    }
}
