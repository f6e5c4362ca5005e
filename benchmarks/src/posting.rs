//! Load: many connections that post events, as fast as they are answered or at a given rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use hyper::StatusCode;
use netqoe_simulator::Load;
use tokio::task::JoinSet;

use crate::now::now_ms;
use crate::poster::Poster;
use crate::schedule::Schedule;

/// Connections at once. At a rate that is kept up with, most wait for their next turn.
const CONNECTIONS: usize = 64;
const EVENTS: &str = "/api/v1/events";
/// Longest latency that is told from longer ones: no request lasts a minute.
const MAX_LATENCY_US: u64 = 60_000_000;
/// Latencies are kept to three figures.
const FIGURES: u8 = 3;

/// How fast posts follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Each connection posts again as soon as it is answered.
    Most,
    /// So many posts a second, whether those before are answered or not. The latency of each counts from when it was due.
    PerSecond(f64),
}

/// Who is posted to, and what.
pub(super) struct Posting {
    ingests: Vec<SocketAddr>,
    load: Load,
    /// The number of the next event.
    next: Arc<AtomicU64>,
    /// Events that are durable in the log, in all.
    accepted: Arc<AtomicU64>,
}

/// What came of some time of posting.
pub(super) struct Posted {
    pub(super) events_per_s: f64,
    pub(super) posts_per_s: f64,
    /// Of answers, in microseconds.
    pub(super) latency: Histogram<u64>,
}

impl Posting {
    pub(super) fn new(ingests: Vec<SocketAddr>, load: Load) -> Self {
        Self { ingests, load, next: Arc::default(), accepted: Arc::default() }
    }

    /// Events that were accepted since the beginning.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Posts `batch` events at a time. Fails where a post is refused.
    pub(super) async fn post(&self, batch: u64, pace: Pace, duration: Duration) -> anyhow::Result<Posted> {
        let mut posters = Vec::new();
        for ingest in self.ingests.iter().cycle().take(CONNECTIONS) {
            posters.push(Poster::connect(*ingest).await?);
        }
        let began = Instant::now();
        let turns = match pace {
            Pace::Most => Turns::Until(began + duration),
            Pace::PerSecond(rate) => Turns::Scheduled(Schedule::start(rate, duration, CONNECTIONS)?),
        };
        let mut connections = JoinSet::new();
        for poster in posters {
            let connection = Connection {
                poster,
                load: self.load,
                next: Arc::clone(&self.next),
                accepted: Arc::clone(&self.accepted),
            };
            connections.spawn(connection.post(batch, turns.clone()));
        }
        let mut latency = latencies()?;
        while let Some(posted) = connections.join_next().await {
            latency += posted.context("a connection's task failed")??;
        }
        // The last post that is due comes before the end of its time.
        let posts_per_s = latency.len() as f64 / began.elapsed().max(duration).as_secs_f64();
        Ok(Posted { events_per_s: posts_per_s * batch as f64, posts_per_s, latency })
    }
}

/// When each connection posts.
#[derive(Clone)]
enum Turns {
    /// As soon as the one before is answered, until then.
    Until(Instant),
    Scheduled(Arc<Schedule>),
}

impl Turns {
    /// Waits for the next turn, and returns the time from which its latency counts; none where there are no more.
    async fn next(&self) -> Option<Instant> {
        match self {
            Self::Until(ends) => Some(Instant::now()).filter(|now| now < ends),
            Self::Scheduled(schedule) => schedule.next().await,
        }
    }
}

struct Connection {
    poster: Poster,
    load: Load,
    next: Arc<AtomicU64>,
    accepted: Arc<AtomicU64>,
}

impl Connection {
    /// The latencies of its posts.
    async fn post(mut self, batch: u64, turns: Turns) -> anyhow::Result<Histogram<u64>> {
        let mut latency = latencies()?;
        let content_type = if batch == 1 { "application/json" } else { "application/x-ndjson" };
        while let Some(since) = turns.next().await {
            let answer = self.poster.post(EVENTS, content_type, self.body(batch)).await?;
            ensure!(
                answer.status == StatusCode::OK,
                "a post was answered with {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
            self.accepted.fetch_add(batch, Ordering::SeqCst);
            latency.saturating_record(u64::try_from(since.elapsed().as_micros()).unwrap_or(MAX_LATENCY_US));
        }
        Ok(latency)
    }

    fn body(&self, batch: u64) -> Bytes {
        let (first, ts_ms) = (self.next.fetch_add(batch, Ordering::Relaxed), now_ms());
        let events: Vec<_> = (first..first + batch).map(|number| self.load.event(number, ts_ms)).collect();
        events.join("\n").into()
    }
}

pub(super) fn latencies() -> anyhow::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, MAX_LATENCY_US, FIGURES).context("latencies can't be kept")
}
