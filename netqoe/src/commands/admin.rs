//! What an operator may ask of a running process: to show all open windows at once. Only from this machine.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use axum::routing::post;
use axum::{Json, Router};

use netqoe_pipeline::LogFeeds;
use netqoe_server::{ServerLimits, Tokens};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

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

/// Answers `POST /admin/flush` on this port of this machine, until `stop`.
pub(super) async fn serve(port: u16, feeds: LogFeeds, stop: CancellationToken) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = netqoe_server::listen(address, &Tokens::none_on_loopback())?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    tracing::info!("admin routes on http://{address}");
    let asked = move || async move {
        flush(&feeds);
        Json(json!({ "status": "ok" }))
    };
    let routes = netqoe_server::refuse_other_sites(Router::new().route("/admin/flush", post(asked)));
    netqoe_server::serve(listener, routes, &ServerLimits::default(), stop).await.context("can't go on serving")
}
