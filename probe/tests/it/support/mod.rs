//! Servers that tests run themselves.

pub(crate) mod dns_server;
#[cfg(feature = "http3")]
pub(crate) mod http3_server;
pub(crate) mod ingest_server;
pub(crate) mod proxy_server;
pub(crate) mod web_server;

/// Waits as exactly as the system can: timers of the runtime are late by up to 2 ms.
async fn think(thinking: std::time::Duration) {
    if !thinking.is_zero() {
        tokio::task::spawn_blocking(move || std::thread::sleep(thinking)).await.unwrap();
    }
}
