//! What an operator may ask of a running process: to show all open windows at once, to log more or less, to read its
//! configuration again, and what it spends its time and memory on. Only from this machine.

mod profiles;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use netqoe_pipeline::LogFeeds;
use netqoe_server::{ServerLimits, Tokens};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::profiles::Profiles;
use super::reload::Reload;
use crate::exit::WrongUsage;
use crate::logging::LogLevels;
use crate::options::AdminOptions;

/// Shows all open windows whenever the process gets a SIGUSR1, until `stop`.
pub(super) async fn flush_on_signal(feeds: LogFeeds, stop: CancellationToken) {
    let mut asked = match signal(SignalKind::user_defined1()) {
        Ok(asked) => asked,
        Err(error) => return tracing::warn!("SIGUSR1 does nothing: {error}"),
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = asked.recv() => flush(&feeds),
        }
    }
}

fn flush(feeds: &LogFeeds) {
    tracing::info!("showing all open windows");
    feeds.flush();
}

/// What admin routes change.
pub(super) struct Admin {
    pub(super) levels: LogLevels,
    /// Of a server with a dataflow.
    pub(super) feeds: Option<LogFeeds>,
    pub(super) reload: Arc<Reload>,
}

impl Admin {
    /// Answers on the port of this machine that the options name, until `stop`; without a port, nobody is answered.
    pub(super) async fn serve(self, options: &AdminOptions, stop: CancellationToken) -> anyhow::Result<()> {
        let Some(port) = options.admin_port else {
            let has_no_port = "--pprof needs a port to answer on; give --admin-port, too";
            anyhow::ensure!(!options.pprof, WrongUsage(has_no_port.to_owned()));
            return std::future::pending().await;
        };
        let profiles = options.pprof.then(Profiles::new).transpose()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = netqoe_server::listen(address, &Tokens::none_on_loopback())?;
        let address = listener.local_addr().context("can't tell the port that is listened on")?;
        tracing::info!("admin routes on http://{address}");
        let routes = self.routes().merge(profiles.map(Profiles::routes).unwrap_or_default());
        let routes = netqoe_server::refuse_other_names(netqoe_server::refuse_other_sites(routes));
        netqoe_server::serve(listener, routes, &ServerLimits::default(), stop).await.context("can't go on serving")
    }

    fn routes(self) -> Router {
        let levels = Router::new().route("/admin/log-level", get(log_level).put(set_log_level)).with_state(self.levels);
        let routes = levels.merge(Router::new().route("/-/reload", post(reload)).with_state(self.reload));
        let Some(feeds) = self.feeds else { return routes };
        let asked = move || async move {
            flush(&feeds);
            Json(json!({ "status": "ok" }))
        };
        routes.route("/admin/flush", post(asked))
    }
}

/// Where Prometheus has it.
async fn reload(State(reload): State<Arc<Reload>>) -> Response {
    let reloaded = tokio::task::spawn_blocking(move || reload.now()).await;
    match reloaded.unwrap_or_else(|_| Err("reading the configuration did not end; ask again".to_owned())) {
        Ok(reloaded) => Json(reloaded).into_response(),
        Err(message) => {
            let body = json!({ "error": "invalid_configuration", "message": message });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
        }
    }
}

async fn log_level(State(levels): State<LogLevels>) -> Json<Value> {
    Json(json!({ "log_level": levels.get() }))
}

/// The body is what `RUST_LOG` would be.
async fn set_log_level(State(levels): State<LogLevels>, asked_for: String) -> (StatusCode, Json<Value>) {
    match levels.set(asked_for.trim()) {
        Ok(()) => {
            tracing::warn!("what is logged is now `{}`", levels.get());
            (StatusCode::OK, Json(json!({ "log_level": levels.get() })))
        }
        Err(error) => {
            let message = format!("{error}; give what RUST_LOG takes, such as info or debug,netqoe_eventlog=trace");
            (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_log_level", "message": message })))
        }
    }
}
