//! The probe's HTTP server: `/metrics` and `/probe`.

use std::net::SocketAddr;

use anyhow::Context;
use netqoe_probe::{Askable, Plan, ReportWatch, exporter};
use netqoe_server::{ServeError, ServerLimits};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Prometheus needs one connection; some more may look.
const MAX_CONNECTIONS: usize = 64;

/// Serves until `stop`, and stops everything where it can't go on: a probe that nobody can look at must not seem healthy.
pub(super) fn start(
    address: SocketAddr,
    plan: &Plan,
    reporting: Option<ReportWatch>,
    stop: CancellationToken,
) -> anyhow::Result<JoinHandle<Result<(), ServeError>>> {
    let askable = if address.ip().to_canonical().is_loopback() { Askable::Any } else { Askable::Planned };
    let routes = exporter(plan, reporting, askable);
    let listener = netqoe_server::bind(address)?;
    tracing::info!("listening on http://{}", listener.local_addr().context("can't tell the port that is listened on")?);
    let limits = ServerLimits { max_connections: MAX_CONNECTIONS, ..ServerLimits::default() };
    Ok(tokio::spawn(async move {
        let served = netqoe_server::serve(listener, routes, &limits, stop.clone()).await;
        stop.cancel();
        served
    }))
}
