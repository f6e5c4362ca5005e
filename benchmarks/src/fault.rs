//! What can go wrong with a target, and how it shows in what probes measure.

use netqoe_model::Label;

use crate::line::Timings;

/// A fault of one target, as all of its clients see it.
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
        match self {
            Self::Dns => timings.dns_ms *= 30.0,
            Self::Handshake => {
                timings.tcp_ms *= 3.0;
                timings.tls_ms *= 3.0;
            }
            Self::Server => timings.ttfb_ms *= 4.0,
            Self::Throughput => timings.throughput_mbps *= 0.3,
            Self::Error => {}
        }
    }
}
