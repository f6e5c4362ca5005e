//! The phases that are compared with what is usual, and what a window tells of each.

use netqoe_model::{Figure, Label, Metric, Percentiles, WindowRow, from_thousandths};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Dns,
    /// TCP and TLS.
    Handshake,
    Ttfb,
    Throughput,
    /// DNS, handshake and TTFB together; nothing is named by it alone.
    Total,
}

/// How many phases have a label of their own: all but the total.
pub(super) const NAMED: usize = 4;

impl Phase {
    /// Those with a label of their own, in the order in which they are looked at.
    pub(super) const NAMED: [Self; NAMED] = [Self::Dns, Self::Handshake, Self::Ttfb, Self::Throughput];
    /// The parts of the total.
    pub(super) const LATENCIES: [Self; 3] = [Self::Dns, Self::Handshake, Self::Ttfb];

    /// As evidence writes it.
    pub(super) fn stage(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Handshake => "handshake",
            Self::Ttfb => "ttfb",
            Self::Throughput => "throughput",
            Self::Total => "total",
        }
    }

    /// The label of a window in which this phase is slow.
    pub(super) fn label(self) -> Label {
        match self {
            Self::Dns => Label::DnsBound,
            Self::Handshake => Label::HandshakeBound,
            Self::Ttfb => Label::ServerBound,
            Self::Throughput => Label::ThroughputBound,
            Self::Total => Label::Healthy,
        }
    }
}

/// What a window tells of one phase: its p50 and its p95 in whole microseconds, or kbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) p50: u64,
    pub(super) p95: u64,
}

impl Reading {
    /// The one figure that stands for the window. Two samples stand for it in turn, from window to window, so that a history
    /// varies as samples do, and one of them that is out of the ordinary does not hide in a mean.
    pub(super) fn figure(self, samples: u32, takes_greater: bool) -> u64 {
        if samples == 2 && takes_greater { self.p95 } else { self.p50 }
    }

    /// The middle of the samples: with two, which are the p50 and the p95, what lies between them.
    pub(super) fn middle(self, samples: u32) -> u64 {
        if samples == 2 { (self.p50 + self.p95).div_ceil(2) } else { self.p50 }
    }
}

/// What a window tells of all phases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readings {
    /// Measurements without a failure.
    pub(super) samples: u32,
    pub(super) of: [Option<Reading>; NAMED],
}

impl Readings {
    pub(super) fn of(row: &WindowRow) -> Self {
        let metric = |metric| row.of(metric).map(|Percentiles { p50, p95 }| Reading { p50, p95 });
        let sum = |a: Reading, b: Reading| Reading { p50: a.p50 + b.p50, p95: a.p95 + b.p95 };
        let handshake = match (metric(Metric::Tcp), metric(Metric::Tls)) {
            (Some(tcp), Some(tls)) => Some(sum(tcp, tls)),
            (tcp, tls) => tcp.or(tls),
        };
        Self {
            samples: row.count_success,
            of: [metric(Metric::Dns), handshake, metric(Metric::Ttfb), metric(Metric::Throughput)],
        }
    }
}

/// One figure of each phase, in ms and Mbit/s, as they are compared with each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) of: [Option<f64>; NAMED],
    pub(super) total: f64,
}

impl Figures {
    pub(super) fn get(&self, phase: Phase) -> Option<f64> {
        if phase == Phase::Total { Some(self.total) } else { self.of[phase as usize] }
    }

    /// Figures of what a window tells, one of each phase.
    pub(super) fn of(readings: &Readings, which: impl Fn(Reading) -> u64) -> Self {
        let of = readings.of.map(|reading| reading.map(|reading| from_thousandths(which(reading))));
        Self { of, total: of[..Phase::LATENCIES.len()].iter().map(|figure| figure.unwrap_or(0.0)).sum() }
    }
}

/// What the figures of a window stand for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Compared {
    /// One figure decides for all samples.
    One(Figures),
    /// The p50 and the p95 decide for the samples on their side.
    Two { p50: Figures, p95: Figures },
}

impl Compared {
    /// Whether it has a figure of the phase.
    pub(super) fn has(&self, phase: Phase) -> bool {
        match self {
            Self::One(figures) | Self::Two { p50: figures, .. } => figures.get(phase).is_some(),
        }
    }

    pub(super) fn of(row: &WindowRow, readings: &Readings, figure: Figure) -> Option<Self> {
        match figure {
            Figure::P95 => super::whole::PastWindow::of(row).map(|window| Self::One(window.figures())),
            Figure::Samples => (readings.samples > 0).then(|| Self::Two {
                p50: Figures::of(readings, |reading| reading.p50),
                p95: Figures::of(readings, |reading| reading.p95),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_two_samples_lies_between_them() {
        let reading = Reading { p50: 10, p95: 21 };
        assert_eq!([1, 2, 3, 12].map(|samples| reading.middle(samples)), [10, 16, 10, 10]);
    }
}
