//! Heartbeats between processes, and the little that they must agree on beside timely's own messages: the generation of
//! this start, and how far epochs have come.
//!
//! ```text
//! this process                                              another process
//!   Epochs ──on_take──▶ News ──▶ sender, a thread each  ──▶  receiver, a thread each ──▶ Epochs::raise_to
//!                                at least every 500 ms                                ──▶ generation, lost
//! ```
//!
//! Invariants: a receiver reports its process as lost exactly once, and then ends; an epoch that a process has heard of is
//! raised there before it is told to others; nothing here waits for a worker or a store.

mod loss;
mod message;
mod news;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;

use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use netqoe_dataflow::Epochs;
use netqoe_model::Generation;
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

use crate::ClusterError;
pub use loss::{Loss, Lost};
use news::News;

/// A heartbeat is sent at least this often: several times within any takeover time that makes sense.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(500);
/// How long telling the others that this process leaves may take. One that does not hear it sees the connection end.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// The heartbeats of this process and of all others.
pub struct Heartbeat {
    shared: Arc<Shared>,
    generations: Receiver<Generation>,
    /// The process that was lost first.
    lost: watch::Receiver<Option<Lost>>,
}

/// What the API and the threads share.
struct Shared {
    state: Mutex<State>,
    /// There is news, or a farewell was sent.
    changed: Condvar,
}

struct State {
    news: News,
    /// Processes that the farewell was sent to, or that can't be told any more.
    farewells: usize,
    /// All processes but this one.
    others: usize,
}

impl Heartbeat {
    /// Begins to send heartbeats and to look for those of the others, over these connections by process.
    pub(crate) fn start(
        process: usize,
        connections: Vec<Option<TcpStream>>,
        takeover: Duration,
    ) -> Result<Self, ClusterError> {
        let processes = connections.len();
        let state = State { news: News::new(processes), farewells: 0, others: processes.saturating_sub(1) };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let (generation, generations) = unbounded();
        let (lose, lost) = watch::channel(None);
        for (other, stream) in connections.into_iter().enumerate() {
            let Some(stream) = stream else { continue };
            let cant_watch = |source| ClusterError::Watch { process: other, source };
            stream.set_read_timeout(Some(takeover)).map_err(cant_watch)?;
            stream.set_write_timeout(Some(takeover)).map_err(cant_watch)?;
            let writing = stream.try_clone().map_err(cant_watch)?;
            let (sending, receiving) = (Arc::clone(&shared), Arc::clone(&shared));
            let (lose, generation) = (lose.clone(), generation.clone());
            spawn(format!("heartbeat-to-{other}"), move || sender::run(&sending, writing, other))?;
            spawn(format!("heartbeat-of-{other}"), move || {
                let how = receiver::run(&receiving, stream, other, &generation);
                tracing::debug!("process {process} has lost process {other}: {how}");
                lose.send_if_modified(|lost| is_first(lost, Lost { process: other, how }));
            })?;
        }
        Ok(Self { shared, generations, lost })
    }

    /// Waits for the generation of this start, which process 0 announces. `None` if `given_up` returns true or a process is
    /// lost before that.
    pub fn generation(&self, given_up: impl Fn() -> bool) -> Option<Generation> {
        while !given_up() && self.lost().is_none() {
            if let Ok(generation) = self.generations.recv_timeout(HEARTBEAT_EVERY) {
                return Some(generation);
            }
        }
        None
    }

    /// Tells the generation of this start to all.
    pub fn announce(&self, generation: Generation) {
        self.shared.state.lock().news.generation = Some(generation);
        self.shared.changed.notify_all();
    }

    /// From now on the epochs of all processes keep up with the furthest of them.
    pub fn carry(&self, epochs: &Arc<Epochs>) {
        let furthest = {
            let mut state = self.shared.state.lock();
            state.news.epochs = Some(Arc::clone(epochs));
            state.news.furthest()
        };
        let shared: Weak<Shared> = Arc::downgrade(&self.shared);
        epochs.on_take(Box::new(move || {
            if let Some(shared) = shared.upgrade() {
                // Taken and let go, so that no sender is between looking for news and waiting.
                drop(shared.state.lock());
                shared.changed.notify_all();
            }
        }));
        epochs.raise_to(furthest);
    }

    /// Tells the others why this process ends, so that they end too, and need not guess why.
    pub fn leave(&self, how: &Loss) {
        let mut state = self.shared.state.lock();
        state.news.farewell = how.farewell();
        self.shared.changed.notify_all();
        let deadline = Instant::now() + FAREWELL_TIMEOUT;
        while state.farewells < state.others && !self.shared.changed.wait_until(&mut state, deadline).timed_out() {}
    }

    /// The process that was lost first, if one was.
    pub fn lost(&self) -> Option<Lost> {
        self.lost.borrow().clone()
    }

    /// Waits until a process is lost: for ever if there are no others.
    pub async fn loss(&self) -> Lost {
        let mut lost = self.lost.clone();
        let known = lost.wait_for(Option::is_some).await.ok().and_then(|lost| lost.clone());
        match known {
            Some(lost) => lost,
            None => std::future::pending().await,
        }
    }
}

/// Takes in a lost process unless one was lost before. Whether it is the first.
fn is_first(first: &mut Option<Lost>, lost: Lost) -> bool {
    let is_first = first.is_none();
    first.get_or_insert(lost);
    is_first
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<(), ClusterError> {
    std::thread::Builder::new().name(name).spawn(work).map_err(ClusterError::Thread)?;
    Ok(())
}
