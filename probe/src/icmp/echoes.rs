//! What several echoes say together.

use std::time::Duration;

use crate::{EchoEvidence, Span};

/// Echoes by number: when each was asked for, and when it came back.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    sent: Vec<Duration>,
    received: Vec<Option<Duration>>,
}

impl Echoes {
    pub(super) fn sent(&mut self, at: Duration) {
        self.sent.push(at);
        self.received.push(None);
    }

    /// A second reply to one request says nothing new.
    pub(super) fn received(&mut self, number: u16, at: Duration) {
        if let Some(received) = self.received.get_mut(usize::from(number)) {
            received.get_or_insert(at);
        }
    }

    pub(super) fn count_sent(&self) -> u32 {
        // As many as a measurement sends.
        self.sent.len() as u32
    }

    pub(super) fn are_all_back(&self) -> bool {
        self.received.iter().all(Option::is_some)
    }

    /// The round trips, in the order of their requests.
    fn round_trips(&self) -> Vec<Span> {
        let pairs = self.sent.iter().zip(&self.received);
        pairs.filter_map(|(start, end)| Some(Span { start: *start, end: (*end)? })).collect()
    }

    /// The round trip in the middle, and what all say; `None` if none came back.
    pub(super) fn summary(&self) -> Option<(Span, EchoEvidence)> {
        let trips = self.round_trips();
        let mut sorted = trips.clone();
        sorted.sort_unstable_by_key(|trip| trip.duration());
        let median = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
        let ms = |trip: &Span| trip.duration().as_secs_f64() * 1000.0;
        let differences: Vec<_> = trips.windows(2).map(|pair| (ms(&pair[1]) - ms(&pair[0])).abs()).collect();
        let (sent, received) = (self.count_sent(), trips.len() as u32);
        let evidence = EchoEvidence {
            sent,
            received,
            loss: f64::from(sent - received) / f64::from(sent),
            min_ms: sorted.first().map(ms)?,
            max_ms: sorted.last().map(ms)?,
            jitter_ms: differences.iter().sum::<f64>() / differences.len().max(1) as f64,
        };
        Some((median, evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echoes(round_trips_ms: &[Option<u64>]) -> Echoes {
        let mut echoes = Echoes::default();
        for (number, round_trip_ms) in (0_u16..).zip(round_trips_ms) {
            let at = Duration::from_millis(100 * u64::from(number));
            echoes.sent(at);
            if let Some(round_trip_ms) = round_trip_ms {
                echoes.received(number, at + Duration::from_millis(*round_trip_ms));
            }
        }
        echoes
    }

    #[test]
    fn loss_jitter_and_the_median() {
        let mut echoes = echoes(&[Some(10), None, Some(14), Some(11)]);
        echoes.received(0, Duration::from_secs(9));
        echoes.received(77, Duration::from_secs(9));
        let (median, evidence) = echoes.summary().unwrap();
        assert_eq!(median.duration(), Duration::from_millis(11));
        assert_eq!((evidence.sent, evidence.received, evidence.loss), (4, 3, 0.25));
        assert_eq!((evidence.min_ms, evidence.max_ms), (10.0, 14.0));
        assert!((evidence.jitter_ms - 3.5).abs() < 1e-9, "{evidence:?}");
        assert!(!echoes.are_all_back());
    }

    #[test]
    fn one_echo_has_no_jitter_and_none_has_no_summary() {
        assert_eq!(echoes(&[Some(10)]).summary().unwrap().1.jitter_ms, 0.0);
        assert_eq!(echoes(&[None, None]).summary(), None);
        assert!(echoes(&[Some(1)]).are_all_back());
    }
}
