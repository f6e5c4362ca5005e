//! When a request has left and when its answer begins, noted by the code that carries the bytes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Span};

/// Heads of answers whose beginnings are remembered: of more interim answers, the last remembered one stands for the answer.
const MAX_HEADS: usize = 1024;

/// What happened on a connection, and when. Shared with the code that hands the stream away.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireEvents {
    is_asked: Arc<AtomicBool>,
    asked: Arc<OnceLock<Duration>>,
    sent: Arc<OnceLock<Duration>>,
    /// When each head of an answer began, interim ones included.
    heads: Arc<Mutex<Vec<Duration>>>,
    /// Those that were interim.
    interim: Arc<AtomicUsize>,
}

impl WireEvents {
    /// What is written from now on is the request.
    pub(crate) fn ask(&self, clock: Clock) {
        self.asked.get_or_init(|| clock.now());
        self.is_asked.store(true, Ordering::Relaxed);
    }

    /// Whether what is written is the request.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Something has left, and `at` is when the network was handed the last of it. The first after [`ask`](Self::ask) is the request.
    ///
    /// That is taken before the call that hands it over: on a busy machine a thread may wait long behind that call, and a time
    /// taken there would make the answer's way shorter than it was.
    pub(crate) fn left(&self, at: Duration) {
        if self.is_asked() {
            self.sent.get_or_init(|| at);
        }
    }

    /// An answer, or an interim one, has begun.
    pub(crate) fn answered(&self, clock: Clock) {
        self.answered_at(clock.now());
    }

    /// The same, then.
    pub(crate) fn answered_at(&self, at: Duration) {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.len() < MAX_HEADS {
            heads.push(at);
        }
    }

    /// The first head that has not been told to be interim, was. When it had begun.
    pub(crate) fn was_interim(&self) -> Option<Duration> {
        let at = self.first_byte();
        self.interim.fetch_add(1, Ordering::Relaxed);
        at
    }

    fn first_byte(&self) -> Option<Duration> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let are_all = heads.len() < MAX_HEADS;
        let of_answer = heads.get(self.interim.load(Ordering::Relaxed));
        of_answer.or_else(|| heads.last().filter(|_| !are_all)).copied()
    }

    /// From [`ask`](Self::ask) to when the network is handed the last of the request. `None` until then.
    pub(crate) fn request(&self) -> Option<Span> {
        Some(Span { start: *self.asked.get()?, end: *self.sent.get()? })
    }

    /// How long the request had been sent at that time.
    pub(crate) fn since_sent(&self, at: Duration) -> Option<Duration> {
        Some(at.saturating_sub(*self.sent.get()?))
    }

    /// From when the network is handed the last of the request, to the first byte of the answer. `None` until then, and
    /// where the server spoke before it was asked.
    pub(crate) fn ttfb(&self) -> Option<Span> {
        let (start, end) = (*self.sent.get()?, self.first_byte()?);
        (start <= end).then_some(Span { start, end })
    }
}
