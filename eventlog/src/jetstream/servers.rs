//! Which of several servers to connect to: a server that is reachable but confirms nothing is left for another.
//!
//! A server that is separated from the others by the network keeps its clients, but can't store anything for them. Only
//! the results of requests show that, so every requester reports here whether its request succeeded.
//!
//! Decision: D-069.

use std::time::{Duration, Instant};

use async_nats::{Server, ServerAddr};
use parking_lot::Mutex;

/// How long requests to a server may fail before another one is tried: longer than it takes to be slow, and short enough
/// that all of it, with what the other one still has to do, is over within ten seconds.
const LEAVE_AFTER: Duration = Duration::from_secs(4);
/// A failure longer ago than this says nothing about the present.
const NOTES_LAST: Duration = Duration::from_secs(10);
/// If no server succeeds, each gets twice as long as the one before, up to this: changing servers is work for all of
/// them.
const LONGEST_STAY: Duration = Duration::from_secs(60);
/// A server that was left is tried again after another has refused a connection so often.
const LEFT_COUNTS_AS_FAILED: usize = 2;

/// What a server is asked for. Each is noted for itself, since one may work without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// To store a message.
    Publish,
    /// To tell how the stream is, which is what reading begins with.
    Look,
}

/// What is known of the servers.
#[derive(Default)]
pub(super) struct Servers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The one that was last chosen.
    current: Option<ServerAddr>,
    /// The one that was left last.
    left: Option<ServerAddr>,
    stay: Stay,
}

/// How the server that is connected does, whichever that is.
#[derive(Debug, Default)]
struct Stay {
    /// Since when each task has failed, and when that was last noted.
    in_vain: [Option<(Instant, Instant)>; 2],
    /// When a server was last left, and how many in a row without any that did better.
    left: Option<(Instant, u32)>,
}

impl Servers {
    /// Notes that the server did what it was asked for.
    pub(super) fn served(&self, task: Task, now: Instant) {
        self.state.lock().stay.served(task, now);
    }

    /// Notes that the request made at `asked` failed. Whether it is time to try another server.
    pub(super) fn in_vain(&self, task: Task, asked: Instant, now: Instant) -> bool {
        let mut state = self.state.lock();
        let leaves = state.stay.in_vain(task, asked, now);
        if leaves {
            state.left = state.current.clone();
        }
        leaves
    }

    /// The server to connect to next; none before the first connection, for which all are tried.
    pub(super) fn choose(&self, servers: &[Server]) -> Option<ServerAddr> {
        let mut state = self.state.lock();
        let first = || servers.iter().find(|server| server.did_connect).map(|server| server.addr.clone());
        let current = state.current.clone().or_else(first)?;
        // It may not have been known yet when it was left.
        let left = state.stay.left.map(|_| state.left.clone().unwrap_or_else(|| current.clone()));
        let failed: Vec<_> = servers.iter().map(|server| (server.addr.clone(), server.failed_attempts)).collect();
        state.current = pick(&failed, &current, left.as_ref());
        state.current.clone()
    }
}

/// The server after this one that has failed the least often; the one that was left comes late.
fn pick(servers: &[(ServerAddr, usize)], current: &ServerAddr, left: Option<&ServerAddr>) -> Option<ServerAddr> {
    let at = servers.iter().position(|(address, _)| address == current).unwrap_or_default();
    let after = |index: usize| (index + servers.len() - at - 1) % servers.len();
    let failed =
        |address: &ServerAddr, times: usize| times + if left == Some(address) { LEFT_COUNTS_AS_FAILED } else { 0 };
    let best =
        servers.iter().enumerate().min_by_key(|(index, (address, times))| (failed(address, *times), after(*index)));
    best.map(|(_, (address, _))| address.clone())
}

impl Stay {
    fn served(&mut self, task: Task, now: Instant) {
        self.in_vain[task as usize] = None;
        let settled = self.left.is_some_and(|(left, _)| now.duration_since(left) >= NOTES_LAST);
        if settled && self.in_vain.iter().all(Option::is_none) {
            self.left = None;
        }
    }

    fn in_vain(&mut self, task: Task, asked: Instant, now: Instant) -> bool {
        let (left, times) = self.left.unzip();
        let noted = &mut self.in_vain[task as usize];
        let since = noted.filter(|(_, last)| now.duration_since(*last) < NOTES_LAST).map_or(asked, |(since, _)| since);
        *noted = Some((since, now));
        let doublings = times.unwrap_or_default();
        let wait = LEAVE_AFTER.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_STAY);
        let leaves =
            now.duration_since(since) >= LEAVE_AFTER && left.is_none_or(|left| now.duration_since(left) >= wait);
        if leaves {
            *self = Self { in_vain: [None; 2], left: Some((now, doublings + 1)) };
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_server_that_comes_to_nothing_for_a_while_is_left() {
        let start = Instant::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let mut stay = Stay::default();
        assert!(!stay.in_vain(Task::Publish, at(0), at(2)));
        stay.served(Task::Look, at(3));
        assert!(stay.in_vain(Task::Publish, at(2), at(4)), "what works does not excuse what does not");

        let mut stay = Stay::default();
        assert!(!stay.in_vain(Task::Publish, at(0), at(2)));
        stay.served(Task::Publish, at(3));
        assert!(!stay.in_vain(Task::Publish, at(3), at(5)), "it did better meanwhile");
        assert!(!stay.in_vain(Task::Publish, at(60), at(62)), "that is long ago");
    }

    #[test]
    fn where_none_comes_to_anything_they_are_left_the_more_seldom() {
        let start = Instant::now();
        let mut stay = Stay::default();
        let leaves: Vec<_> =
            (1..400).filter(|n| stay.in_vain(Task::Look, start + (n - 1) * SECOND, start + *n * SECOND)).collect();
        assert_eq!(leaves, [4, 12, 28, 60, 120, 180, 240, 300, 360]);
        // One of them does better for a while.
        stay.served(Task::Look, start + 401 * SECOND);
        assert!(stay.in_vain(Task::Look, start + 500 * SECOND, start + 504 * SECOND));
    }

    #[test]
    fn servers_take_turns_and_the_one_that_was_left_comes_late() {
        let addresses = ["a:1", "b:1", "c:1"].map(|address| address.parse::<ServerAddr>().unwrap());
        let turns = |failed: [usize; 3], current: usize, left: Option<usize>| {
            let keys: Vec<_> = addresses.iter().cloned().zip(failed).collect();
            let picked = pick(&keys, &addresses[current], left.map(|left| &addresses[left]));
            addresses.iter().position(|address| Some(address) == picked.as_ref()).unwrap()
        };
        assert_eq!(turns([0, 0, 0], 0, None), 1);
        assert_eq!(turns([0, 0, 0], 2, Some(0)), 1);
        assert_eq!(turns([0, 1, 0], 0, Some(0)), 2);
        assert_eq!(turns([0, 2, 1], 0, Some(0)), 2);
        assert_eq!(turns([0, 3, 3], 2, Some(0)), 0, "it is tried again where the others are away");
    }
}
