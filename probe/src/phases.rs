//! What a measurement measures: spans of time on one monotonic clock.

use std::time::{Duration, Instant};

/// A body of fewer bytes tells nothing of throughput: a new connection sends about 14 kB at once, then twice as much
/// each round trip, so that a smaller body measures round trips. Four rounds carry 128 KiB.
pub(crate) const MIN_THROUGHPUT_BYTES: u64 = 128 * 1024;

/// A stretch of a measurement, as time since its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
}

impl Span {
    /// How long it took.
    pub fn duration(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// The phases that a measurement has reached the end of; what it has not reached is absent.
///
/// No two overlap. What lies between them (the request on its way, reading `resolv.conf`, our own work) belongs to none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// From the question to all addresses, A and AAAA. Absent where the URL names an address.
    pub dns: Option<Span>,
    /// From the first packet to the address that was chosen, until the connection stands.
    pub tcp: Option<Span>,
    /// The full handshake, certificate verified. Absent for `http://`.
    pub tls: Option<Span>,
    /// Time to first byte: from the request handed to the network in full, to the first byte of the response. It holds
    /// one round trip and the server's thinking; no phase before it.
    pub ttfb: Option<Span>,
    /// From the first bytes of the body to the last.
    pub transfer: Option<Transfer>,
}

/// The transfer of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// From the arrival of the body's first bytes to the arrival of its last.
    pub span: Span,
    /// Bytes of the body, without the first that arrived: they came before the clock started.
    pub bytes: u64,
}

impl Transfer {
    /// Mbit/s; `None` where the body is too small (under 128 KiB) or came at once, which measures no transfer.
    pub fn throughput_mbps(self) -> Option<f64> {
        let seconds = self.span.duration().as_secs_f64();
        let is_measurable = self.bytes >= MIN_THROUGHPUT_BYTES && seconds > 0.0;
        is_measurable.then(|| self.bytes as f64 * 8.0 / 1e6 / seconds)
    }
}

/// The one clock of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(self) -> Duration {
        self.origin.elapsed()
    }

    /// The span that began at `start` and ends now.
    pub(crate) fn since(self, start: Duration) -> Span {
        Span { start, end: self.now() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(bytes: u64, ms: u64) -> Transfer {
        let span = Span { start: Duration::from_millis(70), end: Duration::from_millis(70 + ms) };
        Transfer { span, bytes }
    }

    #[test]
    fn throughput_is_bits_over_the_transfer_alone() {
        assert_eq!(transfer(1_250_000, 1000).throughput_mbps(), Some(10.0));
        assert_eq!(transfer(1_250_000, 100).throughput_mbps(), Some(100.0));
    }

    #[test]
    fn a_transfer_that_says_nothing_has_no_throughput() {
        assert_eq!(transfer(MIN_THROUGHPUT_BYTES - 1, 1000).throughput_mbps(), None);
        assert!(transfer(MIN_THROUGHPUT_BYTES, 1000).throughput_mbps().is_some());
        assert_eq!(transfer(1_250_000, 0).throughput_mbps(), None);
    }
}
