//! The threads that post, ask and look on.

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// They wait for what is measured more than they compute.
const THREADS: usize = 2;

pub(crate) fn request_threads() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().context("can't start the request threads")
}
