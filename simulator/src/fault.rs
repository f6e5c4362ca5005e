//! What can go wrong on the way to a target, and how it shows in what probes measure.

use netqoe_model::Label;

use crate::line::Timings;

/// A fault, as the clients see it that have it with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// Its name resolves slowly.
    Dns,
    /// Connections to it open slowly.
    Handshake,
    /// It answers slowly.
    Server,
    /// It transfers slowly.
    Throughput,
    /// Most measurements of it fail.
    Error,
}

impl FaultKind {
    /// All kinds, in the order in which they are dealt out.
    pub const ALL: [Self; 5] = [Self::Dns, Self::Handshake, Self::Server, Self::Throughput, Self::Error];

    /// What a window that lies within the fault is to be called, given a baseline from before.
    pub const fn label(self) -> Label {
        match self {
            Self::Dns => Label::DnsBound,
            Self::Handshake => Label::HandshakeBound,
            Self::Server => Label::ServerBound,
            Self::Throughput => Label::ThroughputBound,
            Self::Error => Label::ErrorBound,
        }
    }

    /// Makes a measurement what it is under this fault. Errors leave the timings alone: their share is the
    /// generator's to decide.
    pub(crate) fn worsen(self, timings: &mut Timings) {
        let factor = match self {
            Self::Dns => 30.0,
            Self::Handshake => 3.0,
            Self::Server => 4.0,
            Self::Throughput => 0.3,
            Self::Error => 1.0,
        };
        self.worsen_by(timings, factor);
    }

    /// The same with a factor of one's own.
    pub(crate) fn worsen_by(self, timings: &mut Timings, factor: f64) {
        match self {
            Self::Dns => timings.dns_ms *= factor,
            Self::Handshake => {
                timings.tcp_ms *= factor;
                timings.tls_ms *= factor;
            }
            Self::Server => timings.ttfb_ms *= factor,
            Self::Throughput => timings.throughput_mbps *= factor,
            Self::Error => {}
        }
    }
}
