//! What is different while something is wrong, and what a pair then measures.

use netqoe_model::ErrorStage;

use super::fleet::Usual;

/// How many times worse each part of a measurement is, and how many measurements fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) dns: f64,
    /// What name resolution takes longer, beyond that.
    pub(super) dns_added_ms: f64,
    pub(super) round_trip: f64,
    /// Of the time to first byte, by what the server takes longer.
    pub(super) server: f64,
    /// How many times less there is.
    pub(super) throughput: f64,
    pub(super) failed_share: f64,
    /// Where they fail.
    pub(super) stage: ErrorStage,
}

impl Effect {
    /// Nothing is wrong.
    pub(super) const NONE: Self = Self {
        dns: 1.0,
        dns_added_ms: 0.0,
        round_trip: 1.0,
        server: 1.0,
        throughput: 1.0,
        failed_share: 0.0,
        stage: ErrorStage::Http,
    };

    /// So much of it, from 0 to 1. What multiplies grows by equal factors in equal steps.
    pub(super) fn scaled(self, intensity: f64) -> Self {
        if intensity >= 1.0 {
            return self;
        }
        if intensity <= 0.0 {
            return Self::NONE;
        }
        Self {
            dns: self.dns.powf(intensity),
            dns_added_ms: self.dns_added_ms * intensity,
            round_trip: self.round_trip.powf(intensity),
            server: self.server.powf(intensity),
            throughput: self.throughput.powf(intensity),
            failed_share: self.failed_share * intensity,
            stage: self.stage,
        }
    }

    /// Both at once.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            dns: self.dns * other.dns,
            dns_added_ms: self.dns_added_ms + other.dns_added_ms,
            round_trip: self.round_trip * other.round_trip,
            server: self.server * other.server,
            throughput: self.throughput * other.throughput,
            failed_share: 1.0 - (1.0 - self.failed_share) * (1.0 - other.failed_share),
            stage: if other.failed_share > self.failed_share { other.stage } else { self.stage },
        }
    }
}

/// The medians of what a pair measures at some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Medians {
    pub(super) dns_ms: f64,
    /// A TCP connect is one.
    pub(super) round_trip_ms: f64,
    pub(super) tls_ms: f64,
    /// The first byte comes a round trip and this after the request.
    pub(super) server_ms: f64,
    pub(super) mbps: f64,
}

impl Medians {
    /// With so much of the evening's rise, from 0 to 1.
    pub(super) fn of(usual: &Usual, evening: f64, effect: &Effect) -> Self {
        let path = 1.0 + evening * usual.path_evening;
        let round_trip_ms = usual.round_trip_ms * path;
        let server_ms = usual.server_ms * (1.0 + evening * usual.server_evening);
        Self {
            dns_ms: usual.dns_ms * effect.dns + effect.dns_added_ms,
            round_trip_ms: round_trip_ms * effect.round_trip,
            tls_ms: round_trip_ms * effect.round_trip * usual.tls_round_trips,
            server_ms: server_ms + (effect.server - 1.0) * (round_trip_ms + server_ms),
            mbps: usual.mbps / path / effect.throughput,
        }
    }

    pub(super) fn handshake_ms(&self) -> f64 {
        self.round_trip_ms + self.tls_ms
    }

    pub(super) fn ttfb_ms(&self) -> f64 {
        self.round_trip_ms + self.server_ms
    }

    pub(super) fn total_ms(&self) -> f64 {
        self.dns_ms + self.handshake_ms() + self.ttfb_ms()
    }
}
