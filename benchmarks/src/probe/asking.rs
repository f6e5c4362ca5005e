//! A Prometheus that asks `/probe` for each page in turn, at an even rate, over connections that it keeps.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use hyper::StatusCode;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::pages::Pages;
use crate::poster::Poster;
use crate::schedule::Schedule;

/// Connections, and so questions that can be under way at once: a measurement on loopback takes a few milliseconds.
const CONNECTIONS: usize = 10;
/// How long a program may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is tried.
const EVERY: Duration = Duration::from_millis(20);

/// What will be asked, and whom.
pub(super) struct Asking {
    address: SocketAddr,
    paths: Arc<[String]>,
}

/// Questions that are being asked.
pub(super) struct Asked(JoinSet<anyhow::Result<()>>);

impl Asking {
    pub(super) fn new(address: SocketAddr, pages: &Pages) -> Self {
        let paths = pages.urls().into_iter().map(|url| format!("/probe?target={url}&module=http_2xx"));
        Self { address, paths: paths.collect() }
    }

    /// Waits until the program listens, and asks from then on, for this long.
    pub(super) async fn start(self, per_second: f64, duration: Duration) -> anyhow::Result<Asked> {
        let began = Instant::now();
        while let Err(error) = TcpStream::connect(self.address).await {
            ensure!(began.elapsed() < PATIENCE, "nobody listens on {} within {PATIENCE:?}: {error}", self.address);
            sleep(EVERY).await;
        }
        let mut posters = Vec::new();
        for _ in 0..CONNECTIONS {
            posters.push(Poster::connect(self.address).await?);
        }
        let schedule = Schedule::start(per_second, duration, CONNECTIONS)?;
        let mut tasks = JoinSet::new();
        for (number, poster) in posters.into_iter().enumerate() {
            tasks.spawn(ask(poster, number, Arc::clone(&self.paths), Arc::clone(&schedule)));
        }
        Ok(Asked(tasks))
    }
}

impl Asked {
    /// Waits for the last answer; an error where one was no success.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        while let Some(asked) = self.0.join_next().await {
            asked.context("asking has failed")??;
        }
        Ok(())
    }
}

async fn ask(mut poster: Poster, first: usize, paths: Arc<[String]>, schedule: Arc<Schedule>) -> anyhow::Result<()> {
    let mut paths = paths.iter().cycle().skip(first);
    while let (Some(_), Some(path)) = (schedule.next().await, paths.next()) {
        let answer = poster.get(path).await?;
        let text = String::from_utf8_lossy(&answer.body);
        let is_success = answer.status == StatusCode::OK && text.contains("\nprobe_success 1\n");
        ensure!(is_success, "{path} was answered with {}: {text}", answer.status);
    }
    Ok(())
}
