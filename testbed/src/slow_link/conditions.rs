//! What a link does to a packet.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What waits longer for its turn on a link of a given rate is dropped, as any router drops what its buffer can't hold.
const LONGEST_QUEUE: Duration = Duration::from_millis(200);

/// How a link is, in each direction alike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// How long a packet is on its way.
    pub delay: Duration,
    /// The share of packets that get lost, from 0 to 1.
    pub loss: f64,
    /// Mbit/s of whole packets that pass; any number where absent.
    pub rate_mbps: Option<f64>,
}

/// One direction of a link.
pub(super) struct Direction {
    rng: StdRng,
    busy_until: Option<Instant>,
}

impl Direction {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), busy_until: None }
    }

    /// When a packet that came at `now` arrives at the other side; `None` where it never does.
    pub(super) fn arrival(&mut self, bytes: usize, now: Instant, conditions: &Conditions) -> Option<Instant> {
        if self.rng.random::<f64>() < conditions.loss {
            return None;
        }
        let Some(rate_mbps) = conditions.rate_mbps else { return Some(now + conditions.delay) };
        let turn = self.busy_until.map_or(now, |busy_until| busy_until.max(now));
        if turn - now > LONGEST_QUEUE {
            return None;
        }
        let sent = turn + Duration::from_secs_f64(bytes as f64 * 8.0 / (rate_mbps * 1e6));
        self.busy_until = Some(sent);
        Some(sent + conditions.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_delayed() {
        let conditions = Conditions { delay: Duration::from_millis(40), ..Conditions::default() };
        let now = Instant::now();
        assert_eq!(Direction::new(1).arrival(1500, now, &conditions), Some(now + conditions.delay));
    }

    #[test]
    fn about_as_many_are_lost_as_said() {
        let conditions = Conditions { loss: 0.1, ..Conditions::default() };
        let mut direction = Direction::new(1);
        let lost = (0..10_000).filter(|_| direction.arrival(1500, Instant::now(), &conditions).is_none()).count();
        assert!((900..1100).contains(&lost), "{lost}");
    }

    #[test]
    fn packets_wait_for_their_turn_and_the_queue_has_an_end() {
        // 1250 bytes take 1 ms.
        let conditions = Conditions { rate_mbps: Some(10.0), ..Conditions::default() };
        let (mut direction, now) = (Direction::new(1), Instant::now());
        let ms = Duration::from_millis;
        for number in 1..=201 {
            assert_eq!(direction.arrival(1250, now, &conditions), Some(now + ms(number)));
        }
        assert_eq!(direction.arrival(1250, now, &conditions), None);
        // An empty queue costs nothing.
        let later = now + ms(1000);
        assert_eq!(direction.arrival(1250, later, &conditions), Some(later + ms(1)));
    }
}
