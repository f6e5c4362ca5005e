//! Reporting: events go into a spool on disk first, and from there to ingest.
//!
//! [`Reporting::start`] opens the spool, and sends from then on; its [`reporter`](Reporting::reporter) is what an agent reports to.
//! `spool.rs` is the file, `spool_thread.rs` the thread that has it, `sender.rs` the loop that empties it over the one
//! `connection.rs`, as a `body.rs` each. What is decided there is decided by `bounds.rs`, `backoff.rs`, `retry_after.rs`, `clocks.rs`, `untimely.rs`
//! and `verdict.rs`, which know neither disk nor network.

mod backoff;
mod body;
mod bounds;
mod clocks;
mod connection;
mod counts;
mod endpoint;
mod retry_after;
mod sender;
mod spool;
mod spool_thread;
#[cfg(test)]
mod tests;
mod untimely;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use netqoe_model::EventTime;
use netqoe_trace::Tracer;
use rand::rngs::StdRng;
use tokio::task::JoinHandle as Task;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::tls::of_tls;
use crate::{Reporter, TrustedRoots};
use backoff::{Backoff, LONGEST_WAIT};
pub use bounds::SpoolBounds;
use connection::Connection;
use counts::Counts;
pub use counts::{ReportCounts, ReportWatch};
pub use endpoint::{Endpoint, InvalidEndpoint, InvalidToken, Token};
pub use retry_after::retry_after;
use sender::Sender;
use spool::Spool;
pub use spool::SpoolError;
use spool_thread::{SpoolHandle, SpoolThread};

/// How long the rest of the spool may take to be sent at the end. What is left is sent after the next start.
const LAST_SENDING: Duration = Duration::from_secs(5);

/// Where events go, and what happens to them on the way.
#[derive(Clone, Debug)]
pub struct ReportSettings {
    /// Where they are sent.
    pub endpoint: Endpoint,
    /// Whether HTTP/2 is spoken without TLS, too. Over TLS it is agreed on.
    pub http2_prior_knowledge: bool,
    /// With which token.
    pub token: Option<Token>,
    /// Under which name is measured. Events of an earlier one are set aside where the token is not for it.
    pub client_id: String,
    /// The authorities that may sign the endpoint's certificate.
    pub roots: Arc<TrustedRoots>,
    /// The folder in which they wait.
    pub spool: PathBuf,
    /// How many of them, and how long.
    pub bounds: SpoolBounds,
    /// The longest that is waited before sending is tried again, unless the endpoint asks for more.
    pub longest_wait: Duration,
    /// What starts the span of a batch.
    pub tracer: Tracer,
}

impl ReportSettings {
    /// Without a token, with Mozilla's authorities, 64 MB, a day, a try every 30 s at least, and no spans.
    pub fn new(endpoint: Endpoint, client_id: String, spool: PathBuf) -> Self {
        let roots = crate::Settings::default().roots;
        let (bounds, longest_wait, tracer) = (SpoolBounds::default(), LONGEST_WAIT, Tracer::OFF);
        Self {
            endpoint,
            http2_prior_knowledge: false,
            token: None,
            client_id,
            roots,
            spool,
            bounds,
            longest_wait,
            tracer,
        }
    }
}

/// Why nothing can be reported.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is no spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// TLS can't be had.
    #[error("TLS can't be set up for the endpoint: {0}")]
    Tls(String),
    /// The system gives no thread.
    #[error("can't start the thread of the spool: {0}")]
    Thread(#[from] std::io::Error),
}

/// A spool that is being sent.
pub struct Reporting {
    spool: SpoolHandle,
    thread: JoinHandle<()>,
    sending: Task<()>,
    stop: CancellationToken,
    counts: Arc<Counts>,
    tracer: Tracer,
}

impl Reporting {
    /// Opens the spool, and begins to send what is in it.
    ///
    /// `now` is the wall clock that events are dated by, and their age is taken by; `rng` spreads tries.
    ///
    /// # Errors
    /// [`ReportError`], if the spool can't be opened or is another process's.
    pub fn start<C>(settings: ReportSettings, now: C, rng: StdRng) -> Result<Self, ReportError>
    where
        C: Fn() -> EventTime + Clone + Send + 'static,
    {
        let ReportSettings { endpoint, http2_prior_knowledge, token, client_id, roots, spool, bounds, .. } = settings;
        let spool = Spool::open(&spool, bounds)?;
        let (waiting, endpoint_url) = (spool.events(), endpoint.to_string());
        if token.is_some() && endpoint.is_readable_on_the_way() {
            warn!(
                "the token can be read on the way to {endpoint_url}: use https://, unless the network in between is your own"
            );
        }
        let connection = Connection::new(endpoint, token, http2_prior_knowledge, &roots);
        let connection = connection.map_err(|error| ReportError::Tls(of_tls(&error)))?;
        let counts = Arc::new(Counts::default());
        counts.set_waiting(spool.events(), spool.bytes(), 0);
        let (spool, thread) = SpoolThread::start(spool, now.clone(), Arc::clone(&counts))?;
        let stop = CancellationToken::new();
        let backoff = Backoff::new(settings.longest_wait);
        let sender = Sender::new(spool.clone(), connection, client_id, now, backoff, rng, Arc::clone(&counts));
        let (sender, tracer) = (sender.traced(settings.tracer.clone()), settings.tracer);
        let sending = tokio::spawn(sender.run(stop.clone()));
        info!(waiting, "events are sent to {endpoint_url}");
        Ok(Self { spool, thread, sending, stop, counts, tracer })
    }

    /// What an agent reports to: an event is taken once it is on the disk.
    pub fn reporter(&self) -> ToSpool {
        ToSpool(self.spool.clone())
    }

    /// What waits, and what became of events so far.
    pub fn counts(&self) -> ReportCounts {
        self.counts.now()
    }

    /// The same for others to look at.
    pub fn watch(&self) -> ReportWatch {
        ReportWatch { counts: Arc::clone(&self.counts), tracer: self.tracer.clone() }
    }

    /// Sends the rest, for five seconds at most and as long as nothing fails, and closes the spool.
    pub async fn finish(mut self) -> ReportCounts {
        self.stop.cancel();
        if tokio::time::timeout(LAST_SENDING, &mut self.sending).await.is_err() {
            self.sending.abort();
            // Cancelled: it holds the spool until then.
            (&mut self.sending).await.unwrap_or_default();
        }
        self.spool.close().await;
        let thread = self.thread;
        // It has nothing left to do; where it has panicked, that was said.
        tokio::task::spawn_blocking(move || thread.join().unwrap_or_default()).await.unwrap_or_default();
        self.counts.now()
    }
}

/// Puts events into a spool.
#[derive(Clone)]
pub struct ToSpool(SpoolHandle);

impl Reporter for ToSpool {
    type Error = SpoolError;

    async fn report(&self, event_json: String) -> Result<(), SpoolError> {
        self.0.keep(event_json).await
    }
}
