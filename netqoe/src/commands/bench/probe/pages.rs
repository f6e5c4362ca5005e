//! What is measured: pages of this process, which counts how often.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::routing::get;
use netqoe_ingest::ServerLimits;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A page of the size of a small one.
const PAGE: &str = include_str!("../../../../../docs/probe.md");
/// How long a program may take to measure for the first time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(10);

/// Served until they are dropped.
pub(super) struct Pages {
    address: SocketAddr,
    count: u32,
    served: Arc<AtomicU64>,
    _stop: DropGuard,
}

impl Pages {
    /// So many, on a free port of loopback.
    pub(super) fn serve(count: u32) -> anyhow::Result<Self> {
        let served = Arc::<AtomicU64>::default();
        let counter = Arc::clone(&served);
        let page = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(PAGE)
        };
        let listener = netqoe_ingest::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = listener.local_addr().context("can't tell the pages' port")?;
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::spawn(async move {
            let routes = Router::new().route("/{page}", get(page));
            if let Err(error) = netqoe_ingest::serve(listener, routes, &ServerLimits::default(), stopping).await {
                tracing::error!("the pages are served no more: {error}");
            }
        });
        Ok(Self { address, count, served, _stop: stop.drop_guard() })
    }

    pub(super) fn urls(&self) -> Vec<String> {
        (0..self.count).map(|page| format!("http://{}/{page}", self.address)).collect()
    }

    /// How often any of them was asked for.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until one is asked for again.
    pub(super) async fn wait_for_one(&self) -> anyhow::Result<()> {
        let (began, served) = (Instant::now(), self.served());
        while self.served() == served {
            ensure!(began.elapsed() < PATIENCE, "nothing was measured within {PATIENCE:?}");
            sleep(EVERY).await;
        }
        Ok(())
    }
}
