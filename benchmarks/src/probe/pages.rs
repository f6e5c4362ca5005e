//! What is measured: pages of this process, which counts how often.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

/// A page of the size of a small one.
const PAGE: &[u8] = include_bytes!("../../../docs/probe.md");
/// How long a program may take to measure for the first time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(10);

/// Served until they are dropped.
pub(super) struct Pages {
    scheme: &'static str,
    address: SocketAddr,
    count: u32,
    served: Arc<AtomicU64>,
    _server: AbortOnDropHandle<()>,
}

impl Pages {
    /// Where they are.
    pub(super) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// So many, on a free port of loopback, with or without TLS.
    pub(super) async fn serve(count: u32, tls: Option<TlsAcceptor>) -> anyhow::Result<Self> {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind((Self::ADDRESS, 0)).await.context("no port is free")?;
        let address = listener.local_addr().context("can't tell the pages' port")?;
        let served = Arc::<AtomicU64>::default();
        let server = tokio::spawn(accept(listener, tls, Arc::clone(&served)));
        Ok(Self { scheme, address, count, served, _server: AbortOnDropHandle::new(server) })
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    pub(super) fn urls(&self) -> Vec<String> {
        (0..self.count).map(|page| format!("{}://{}/{page}", self.scheme, self.address)).collect()
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

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, served: Arc<AtomicU64>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, tls.clone(), Arc::clone(&served)))),
            Err(error) => tracing::warn!("a connection to the pages was not taken: {error}"),
        }
    }
}

/// Whoever goes away in the middle has not been served, and is not counted.
async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, served: Arc<AtomicU64>) {
    match tls {
        None => answer(stream, served).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                answer(stream, served).await;
            }
        }
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, served: Arc<AtomicU64>) {
    let page = service_fn(move |_| {
        served.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(PAGE)))))
    });
    // How a connection ends is known by the program at its other end.
    drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), page).await);
}
