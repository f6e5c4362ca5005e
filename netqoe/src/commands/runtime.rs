//! What the commands that serve requests have in common: their threads, and how they learn that others failed.

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// Threads for requests. They wait for the log more than they compute.
const HTTP_THREADS: usize = 2;

pub(super) fn request_threads() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(HTTP_THREADS)
        .enable_all()
        .build()
        .context("can't start the request threads")
}

/// Waits for a thread to say that it can't go on.
pub(super) async fn failure(failed: crossbeam_channel::Receiver<anyhow::Error>) -> anyhow::Error {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || failed.recv().map(|error| send.send(error)));
    match receive.await {
        Ok(error) => error,
        // Everyone who could fail is gone, and so is the pipeline that they belong to.
        Err(_) => std::future::pending().await,
    }
}
