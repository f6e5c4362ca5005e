//! What a measurement measures: spans of time on one monotonic clock.

use std::time::Duration;

use crate::Span;

/// A body of fewer bytes tells nothing of throughput: a new connection sends about 14 kB at once, then twice as much
/// each round trip, so that a smaller body measures round trips. Four rounds carry 128 KiB.
pub(crate) const MIN_THROUGHPUT_BYTES: u64 = 128 * 1024;

/// The phases that a measurement has reached the end of; what it has not reached is absent.
///
/// No two overlap. What lies between them (reading `resolv.conf`, addresses that did not answer, our own work) belongs
/// to none: it is the [residual](Phases::residual).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// From the first question until the server that answered last had led elsewhere. Absent where none did.
    pub redirects: Option<Span>,
    /// From the question to the last address that was waited for. Absent where the URL names an address.
    pub dns: Option<Span>,
    /// From the lookup of the proxy until it carries bytes to the server. Absent without one.
    pub proxy: Option<Span>,
    /// From the first packet to the address that was chosen, until the connection stands. Absent with HTTP/3, and by way of a proxy.
    pub tcp: Option<Span>,
    /// The full handshake, certificate verified; with HTTP/3 from the first packet. Absent for `http://`.
    pub tls: Option<Span>,
    /// From the connection that stands to the request handed to the network in full.
    pub request: Option<Span>,
    /// Time to first byte: from the end of `request` to the first byte of the answer. It holds one round trip and the
    /// server's thinking; no phase before it.
    pub ttfb: Option<Span>,
    /// From the first byte of the answer to its last.
    pub body: Option<Span>,
    /// A fixed object over a connection of its own, after all of the above.
    pub throughput: Option<Transfer>,
}

impl Phases {
    /// What is left of `total`, the time from the beginning to the end of the last phase but throughput.
    pub fn residual(&self, total: Duration) -> Duration {
        let chain = [self.redirects, self.dns, self.proxy, self.tcp, self.tls, self.request, self.ttfb, self.body];
        let in_phases = chain.into_iter().flatten().map(Span::duration).sum();
        total.saturating_sub(in_phases)
    }
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
    /// Mbit/s; `None` if the body is too small (under 128 KiB) or came at once, which measures no transfer.
    pub fn throughput_mbps(self) -> Option<f64> {
        let seconds = self.span.duration().as_secs_f64();
        let is_measurable = self.bytes >= MIN_THROUGHPUT_BYTES && seconds > 0.0;
        is_measurable.then(|| self.bytes as f64 * 8.0 / 1e6 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start_ms: u64, end_ms: u64) -> Span {
        Span { start: Duration::from_millis(start_ms), end: Duration::from_millis(end_ms) }
    }

    fn transfer(bytes: u64, ms: u64) -> Transfer {
        Transfer { span: span(70, 70 + ms), bytes }
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

    #[test]
    fn the_residual_is_what_no_phase_holds() {
        let phases = Phases {
            dns: Some(span(1, 11)),
            tcp: Some(span(12, 32)),
            throughput: Some(transfer(1_250_000, 1000)),
            ..Phases::default()
        };
        assert_eq!(phases.residual(Duration::from_millis(35)), Duration::from_millis(5));
        assert_eq!(Phases::default().residual(Duration::from_millis(7)), Duration::from_millis(7));
    }
}
