//! When posts are due: fixed before the first of them, whatever the server does. A server that stands still for a moment then
//! shows in the latencies of all posts that were due meanwhile, and not only in those of the few that were on their way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Semaphore;

/// Posts at an even rate, handed out to whoever is free.
pub(super) struct Schedule {
    began: Instant,
    per_second: f64,
    posts: u64,
    taken: AtomicU64,
    /// A permit for each post that is due and not taken yet.
    due: Semaphore,
}

impl Schedule {
    /// All posts of this time, the first of them now, for so many who take them.
    pub(super) fn start(per_second: f64, duration: Duration, takers: usize) -> anyhow::Result<Arc<Self>> {
        let schedule = Arc::new(Self {
            began: Instant::now(),
            per_second,
            posts: (per_second * duration.as_secs_f64()).ceil() as u64,
            taken: AtomicU64::new(0),
            due: Semaphore::new(0),
        });
        let kept = Arc::downgrade(&schedule);
        let keep = move || keep_time(&kept, takers);
        std::thread::Builder::new().name("schedule".to_owned()).spawn(keep).context("can't start a thread")?;
        Ok(schedule)
    }

    /// Waits until another post is due, and returns when it was; none where all are taken.
    pub(super) async fn next(&self) -> Option<Instant> {
        // Before the number is taken: whoever had a number could else wait while an earlier post is due.
        self.due.acquire().await.ok()?.forget();
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        (number < self.posts).then(|| self.due_at(number))
    }

    fn due_at(&self, number: u64) -> Instant {
        self.began + Duration::from_secs_f64(number as f64 / self.per_second)
    }
}

/// Hands out a permit for each post when it is due, and at last one to each taker, who learns by it that there are no more. On a
/// thread of its own, since the runtime's timers are exact to a millisecond only.
fn keep_time(schedule: &Weak<Schedule>, takers: usize) {
    let mut number = 0;
    while let Some(schedule) = schedule.upgrade() {
        if number == schedule.posts {
            return schedule.due.add_permits(takers);
        }
        let wait = schedule.due_at(number).saturating_duration_since(Instant::now());
        if wait.is_zero() {
            schedule.due.add_permits(1);
            number += 1;
        } else {
            drop(schedule);
            std::thread::sleep(wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever takes them late takes them all, each with the time at which it was due.
    #[tokio::test]
    async fn what_is_due_does_not_depend_on_who_takes_it() {
        let schedule = Schedule::start(1_000.0, Duration::from_millis(50), 1).unwrap();
        std::thread::sleep(Duration::from_millis(25));
        let mut due = Vec::new();
        while let Some(at) = schedule.next().await {
            assert!(at <= Instant::now(), "none is taken before it is due");
            due.push(at.duration_since(schedule.began));
        }
        assert_eq!(due, (0..50).map(Duration::from_millis).collect::<Vec<_>>());
    }
}
