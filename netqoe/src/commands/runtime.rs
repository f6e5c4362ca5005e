//! The threads of the commands that serve requests.

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
