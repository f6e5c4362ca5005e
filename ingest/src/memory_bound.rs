//! A bound on the memory that the process has resident. Above it, ingest takes no new pair of client and target: pairs are what
//! memory grows with, and all else has a bound of its own.
//!
//! Readings are passed in. A request asks for one flag.
//!
//! Decision: D-106.

use std::io;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often the memory is read. It exceeds the bound by what the new pairs of so long take.
const EVERY: Duration = Duration::from_secs(1);
/// New pairs are taken again below so many hundredths of the bound. Requests and queries move the memory by a few
/// hundredths, and clients are not to see that.
const TAKEN_AGAIN_PERCENT: u64 = 95;

/// Whether the process has more memory resident than it may have. Clones are the same one.
#[derive(Clone, Debug)]
pub struct MemoryBound(Arc<State>);

#[derive(Debug)]
struct State {
    max_bytes: u64,
    resident_bytes: AtomicU64,
    is_exceeded: AtomicBool,
}

/// What a reading changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Exceeded,
    TakenAgain,
}

impl MemoryBound {
    /// So many bytes, of which none are read yet.
    pub fn new(max_bytes: NonZeroU64) -> Self {
        let (resident_bytes, is_exceeded) = (AtomicU64::new(0), AtomicBool::new(false));
        Self(Arc::new(State { max_bytes: max_bytes.get(), resident_bytes, is_exceeded }))
    }

    /// Takes in how many bytes are resident, and logs it if that changes whether new pairs are taken.
    pub fn note(&self, resident_bytes: u64) {
        match self.change(resident_bytes) {
            Some(Change::Exceeded) => tracing::warn!("{}", self.problem()),
            Some(Change::TakenAgain) => {
                tracing::info!("{resident_bytes} bytes of memory are resident; events of new pairs are taken again");
            }
            None => {}
        }
    }

    fn change(&self, resident_bytes: u64) -> Option<Change> {
        let State { resident_bytes: last, is_exceeded, .. } = &*self.0;
        last.store(resident_bytes, Ordering::Relaxed);
        let was_exceeded = is_exceeded.load(Ordering::Relaxed);
        let exceeded = match was_exceeded {
            true => resident_bytes >= self.taken_again_below(),
            false => resident_bytes > self.0.max_bytes,
        };
        is_exceeded.store(exceeded, Ordering::Relaxed);
        match (was_exceeded, exceeded) {
            (false, true) => Some(Change::Exceeded),
            (true, false) => Some(Change::TakenAgain),
            _ => None,
        }
    }

    /// Reads the memory each second until `stop`. What can't be read changes nothing.
    pub async fn follow(self, read: impl Fn() -> io::Result<u64>, stop: CancellationToken) {
        let mut interval = tokio::time::interval(EVERY);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut was_read = true;
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            let reading = read();
            if let (Err(error), true) = (&reading, was_read) {
                tracing::warn!("can't read how much memory is resident, and goes on with the last reading: {error}");
            }
            was_read = reading.is_ok();
            if let Ok(resident_bytes) = reading {
                self.note(resident_bytes);
            }
        }
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.0.is_exceeded.load(Ordering::Relaxed)
    }

    /// Whether new pairs are taken.
    ///
    /// # Errors
    /// Where they are not, with how much memory is resident.
    pub fn check(&self) -> Result<(), String> {
        if self.is_exceeded() { Err(self.problem()) } else { Ok(()) }
    }

    fn problem(&self) -> String {
        let (resident, max) = (self.0.resident_bytes.load(Ordering::Relaxed), self.0.max_bytes);
        format!(
            "{resident} bytes of memory are resident, and --max-memory allows {max}; events of new pairs are refused until \
             fewer than {} are",
            self.taken_again_below()
        )
    }

    fn taken_again_below(&self) -> u64 {
        // Of the smallest bounds, at least a byte: what has none resident is below all of them.
        (u128::from(self.0.max_bytes) * u128::from(TAKEN_AGAIN_PERCENT) / 100).max(1) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn bound(max_bytes: u64) -> MemoryBound {
        MemoryBound::new(NonZeroU64::new(max_bytes).unwrap())
    }

    #[test]
    fn it_is_exceeded_above_the_bound_until_well_below_it() {
        let bound = bound(1_000);
        let readings = [1_000, 1_001, 2_000, 1_000, 950, 949, 950, 1_000, 1_001];
        let changes = readings.map(|resident| bound.change(resident));
        let (exceeded, again) = (Some(Change::Exceeded), Some(Change::TakenAgain));
        assert_eq!(changes, [None, exceeded, None, None, None, again, None, None, exceeded]);
    }

    #[test]
    fn health_says_what_holds() {
        let bound = bound(2_000);
        assert_eq!(bound.check(), Ok(()), "nothing was read");
        bound.note(2_001);
        bound.note(1_950);
        let message = "1950 bytes of memory are resident, and --max-memory allows 2000; events of new pairs are refused until \
                       fewer than 1900 are";
        assert_eq!(bound.check(), Err(message.to_owned()));
        bound.note(1_000);
        assert_eq!(bound.check(), Ok(()));
    }

    #[test]
    fn every_bound_can_be_held() {
        for max_bytes in [1, 2, u64::MAX / 100, u64::MAX - 1] {
            let bound = bound(max_bytes);
            assert_eq!(bound.change(max_bytes + 1), Some(Change::Exceeded));
            assert_eq!(bound.change(0), Some(Change::TakenAgain));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_read_each_second_and_a_failure_changes_nothing() {
        let (bound, stop, turn) = (bound(1_000), CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let readings = [Ok(500), Ok(1_500), Err(io::ErrorKind::Other), Ok(900)];
        let read = {
            let turn = Arc::clone(&turn);
            move || readings[turn.fetch_add(1, Ordering::Relaxed) % 4].map_err(io::Error::from)
        };
        let following = tokio::spawn(bound.clone().follow(read, stop.clone()));
        let mut seen = Vec::new();
        tokio::time::sleep(EVERY / 2).await;
        for _ in 0..5 {
            seen.push((turn.load(Ordering::Relaxed), bound.is_exceeded()));
            tokio::time::sleep(EVERY).await;
        }
        assert_eq!(seen, [(1, false), (2, true), (3, true), (4, false), (5, false)]);
        stop.cancel();
        following.await.unwrap();
    }
}
