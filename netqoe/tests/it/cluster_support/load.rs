//! Senders that post to several instances of ingest, each request until it is taken.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::RngExt;

use super::events::{Events, Request};
use super::others;
use crate::support::{PATIENCE, now_ms, post};

/// Senders; what others publish beside ingest comes on top.
const SENDERS: u64 = 4;
/// Between two requests of a sender.
const PAUSE_MS: std::ops::Range<u64> = 20..80;
/// Before a request that was not taken is sent again, to the next instance.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// When a copy of what was taken follows: within the server's window for message ids, and after it.
const COPY_AFTER_MS: std::ops::Range<u64> = 100..2_500;

/// What was sent and what became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// Ids of what was confirmed: all of it must be in the log.
    pub(crate) acknowledged: BTreeSet<String>,
    /// Events in requests that were taken, copies included.
    pub(crate) events: u64,
    /// Requests that were sent again because they were not taken.
    pub(crate) retries: u64,
    /// Requests that no instance took for as long as a sender has patience.
    pub(crate) untaken: u64,
    /// Messages that others published, and of these the ones that the server knew by their id.
    pub(crate) published: u64,
    pub(crate) known_by_id: u64,
}

impl Sent {
    pub(super) fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.events += other.events;
        self.retries += other.retries;
        self.untaken += other.untaken;
        self.published += other.published;
        self.known_by_id += other.known_by_id;
    }
}

/// A load that goes on until it is stopped.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Sent>>,
}

impl Load {
    /// To instances of ingest on these ports (0 while one is down), and past them to NATS at these URLs, separated by commas.
    pub(crate) fn start(seed: u64, ingests: &[Arc<AtomicU16>], nats_urls: &str) -> Self {
        let over = Arc::<AtomicBool>::default();
        let mut senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (over, ingests) = (Arc::clone(&over), ingests.to_vec());
                std::thread::spawn(move || send(Events::new(seed, sender), &ingests, &over))
            })
            .collect();
        senders.push(others::start(Events::new(seed, SENDERS), nats_urls.to_owned(), Arc::clone(&over)));
        Self { over, senders }
    }

    /// Lets every sender finish what it has begun, and does not wait for it.
    pub(crate) fn ask_to_stop(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Whether every sender has finished.
    pub(crate) fn has_stopped(&self) -> bool {
        self.senders.iter().all(JoinHandle::is_finished)
    }

    /// Lets every sender finish what it has begun.
    pub(crate) fn stop(self) -> Sent {
        self.ask_to_stop();
        let mut sent = Sent::default();
        self.senders.into_iter().for_each(|sender| sent.add(sender.join().unwrap()));
        sent
    }
}

/// Sends until it is over.
fn send(mut events: Events, ingests: &[Arc<AtomicU16>], over: &AtomicBool) -> Sent {
    let mut sent = Sent::default();
    let mut copies: VecDeque<(Instant, Request)> = VecDeque::new();
    while !over.load(Ordering::SeqCst) {
        let request = events.request(now_ms());
        deliver(&request, ingests, &mut sent);
        if events.rng().random_bool(0.1) {
            let after = Duration::from_millis(events.rng().random_range(COPY_AFTER_MS));
            copies.push_back((Instant::now() + after, request));
        }
        while copies.front().is_some_and(|(due, _)| *due <= Instant::now()) {
            let Some((_, copy)) = copies.pop_front() else { break };
            deliver(&copy, ingests, &mut sent);
        }
        std::thread::sleep(Duration::from_millis(events.rng().random_range(PAUSE_MS)));
    }
    sent
}

/// Sends a request to one instance after the other until one takes it, or patience ends.
fn deliver(request: &Request, ingests: &[Arc<AtomicU16>], sent: &mut Sent) {
    let started = Instant::now();
    for instance in ingests.iter().cycle() {
        let port = instance.load(Ordering::SeqCst);
        match (port != 0).then(|| post(port, &[request.content_type], &request.body)) {
            Some(Ok(answer)) if answer.status == 200 => {
                // One event alone is answered in another form, and is taken or not.
                let refused = answer.json()["rejected"].as_u64().unwrap_or(0);
                assert_eq!(refused, request.malformed as u64, "{answer:?}");
                sent.events += request.event_ids.len() as u64;
                sent.acknowledged.extend(request.event_ids.iter().cloned());
                return;
            }
            Some(Ok(answer)) => assert_eq!(answer.status, 503, "{answer:?}"),
            // It is down, or went down before it answered.
            Some(Err(_)) | None => {}
        }
        if started.elapsed() >= PATIENCE {
            sent.untaken += 1;
            return;
        }
        sent.retries += 1;
        std::thread::sleep(RETRY_PAUSE);
    }
}
