//! When the server's own log says that something keeps failing: when it begins, now and then while it goes on, and when it is
//! over. A line for each failure would fill a disk and tell no more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// How long to wait between two lines while it goes on.
const LOG_EVERY: Duration = Duration::from_secs(10);
/// It is over once something has succeeded and nothing has failed for this long: what is overloaded succeeds and fails by turns.
const OVER_AFTER: Duration = Duration::from_secs(5);

/// Failures of one kind, from the first until they are over. Times count from any fixed moment.
#[derive(Default)]
pub struct Outage {
    /// Whether one is going on. It is read first, since every request asks and hardly any comes in an outage.
    is_on: AtomicBool,
    course: Mutex<Course>,
}

#[derive(Default)]
struct Course {
    /// Failures since it began.
    failures: u64,
    last_failure: Duration,
    last_logged: Duration,
}

impl Outage {
    /// Notes a failure at `now`. If it is time to log it: how many there were since the outage began.
    pub fn failed(&self, now: Duration) -> Option<u64> {
        let mut course = self.course.lock();
        let began = !self.is_on.swap(true, Ordering::Relaxed);
        if began {
            *course = Course::default();
        }
        course.failures += 1;
        course.last_failure = now;
        let is_time = began || now.saturating_sub(course.last_logged) >= LOG_EVERY;
        if is_time {
            course.last_logged = now;
        }
        is_time.then_some(course.failures)
    }

    /// Notes a success at `now`. If that ends an outage: how many failures it had.
    pub fn succeeded(&self, now: Duration) -> Option<u64> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let course = self.course.lock();
        let is_over = now.saturating_sub(course.last_failure) >= OVER_AFTER;
        // Of several that see its end, one logs it.
        (is_over && self.is_on.swap(false, Ordering::Relaxed)).then_some(course.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_logged_when_it_begins_now_and_then_and_when_it_is_over() {
        let outage = Outage::default();
        let at = Duration::from_secs;
        assert_eq!(outage.succeeded(at(1)), None);
        assert_eq!(outage.failed(at(100)), Some(1));
        assert_eq!([outage.failed(at(101)), outage.failed(at(109))], [None, None]);
        assert_eq!(outage.failed(at(110)), Some(4));
        assert_eq!(outage.failed(at(111)), None);
        assert_eq!(outage.succeeded(at(115)), None, "it may go on");
        assert_eq!(outage.succeeded(at(116)), Some(5));
        assert_eq!(outage.succeeded(at(117)), None);
        assert_eq!(outage.failed(at(118)), Some(1), "another one");
    }
}
