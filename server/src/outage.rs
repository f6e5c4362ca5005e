//! What the server's own log says while the event log takes no events: that it began, now and then that it goes on, and that it is
//! over. A line for each refused request would fill a disk, and tell no more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Between two lines while it goes on.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// It is over once events are taken and none were refused for so long: a log on the brink takes some and refuses others.
const OVER_AFTER: Duration = Duration::from_secs(5);

/// Whether the event log refuses what comes.
#[derive(Default)]
pub struct Outage {
    /// Whether one is going on. Looked at first, since every request does, and hardly any comes in an outage.
    is_on: AtomicBool,
    course: Mutex<Course>,
}

#[derive(Default)]
struct Course {
    /// Requests that were refused since it began.
    refused: u64,
    last_refused: Duration,
    last_said: Duration,
}

impl Outage {
    /// Notes that a request was refused at `now`. How many were since the outage began, where it is time to say so.
    pub fn refused(&self, now: Duration) -> Option<u64> {
        let mut course = self.course.lock();
        let began = !self.is_on.swap(true, Ordering::Relaxed);
        if began {
            *course = Course::default();
        }
        course.refused += 1;
        course.last_refused = now;
        let is_time = began || now.saturating_sub(course.last_said) >= SAY_EVERY;
        if is_time {
            course.last_said = now;
        }
        is_time.then_some(course.refused)
    }

    /// Notes that a request was stored at `now`. How many were refused, where that ends an outage.
    pub fn stored(&self, now: Duration) -> Option<u64> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let course = self.course.lock();
        let is_over = now.saturating_sub(course.last_refused) >= OVER_AFTER;
        // Of several that see its end, one says so.
        (is_over && self.is_on.swap(false, Ordering::Relaxed)).then_some(course.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_when_it_begins_now_and_then_and_when_it_is_over() {
        let outage = Outage::default();
        let at = Duration::from_secs;
        assert_eq!(outage.stored(at(1)), None);
        assert_eq!(outage.refused(at(100)), Some(1));
        assert_eq!([outage.refused(at(101)), outage.refused(at(109))], [None, None]);
        assert_eq!(outage.refused(at(110)), Some(4));
        assert_eq!(outage.refused(at(111)), None);
        assert_eq!(outage.stored(at(115)), None, "it may be on the brink");
        assert_eq!(outage.stored(at(116)), Some(5));
        assert_eq!(outage.stored(at(117)), None);
        assert_eq!(outage.refused(at(118)), Some(1), "another one");
    }
}
