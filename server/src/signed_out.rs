//! Sessions that were ended before their time, so that no copy of their cookies works any more. Pure: the time is passed in.
//!
//! It is in memory alone: a restart forgets it, and another process does not know it. There a copy works until it has not been
//! used for a day.

use std::collections::HashMap;

use crate::session::{IDLE_S, Session, SessionId};

/// Sessions that are remembered one by one, some hundreds of kilobytes. Only who holds a token can open, and so end, one.
const MAX_SESSIONS: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct SignedOut {
    /// Until when each has cookies that are not over.
    until_s: HashMap<SessionId, i64>,
    /// All that were opened up to then are ended.
    opened_until_s: Option<i64>,
}

impl SignedOut {
    /// Takes in one that is ended now. It is not renewed from now on, so that none of its cookies lasts longer than a day.
    pub(crate) fn add(&mut self, session: &Session, now_s: i64) {
        if self.until_s.len() >= MAX_SESSIONS {
            self.until_s.retain(|_, until_s| *until_s > now_s);
        }
        if self.until_s.len() >= MAX_SESSIONS {
            tracing::warn!("{MAX_SESSIONS} sessions were signed out within a day: all others have to sign in again");
            self.until_s.clear();
            self.opened_until_s = Some(now_s);
        }
        self.until_s.insert(session.id(), now_s.saturating_add(IDLE_S));
    }

    pub(crate) fn has(&self, session: &Session) -> bool {
        self.until_s.contains_key(&session.id())
            || self.opened_until_s.is_some_and(|until_s| session.opened_s() <= until_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn session(number: usize, opened_s: i64) -> Session {
        Session::open(&KEY, SessionId((number as u128).to_be_bytes()), opened_s)
    }

    #[test]
    fn all_cookies_of_a_session_are_ended_and_those_of_no_other() {
        let mut ended = SignedOut::default();
        let (one, other) = (session(1, 100), session(2, 100));
        let copy = one.renew(&KEY, 200);
        assert!(!ended.has(&one));
        ended.add(&one, 300);
        assert!(ended.has(&one) && ended.has(&copy));
        assert!(!ended.has(&other));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_no_session_that_was_ended_comes_back() {
        let mut ended = SignedOut::default();
        for number in 0..MAX_SESSIONS {
            ended.add(&session(number, 100), 200);
        }
        // A day later none of them has a cookie that would work.
        ended.add(&session(MAX_SESSIONS, 300), 200 + IDLE_S);
        assert_eq!((ended.until_s.len(), ended.opened_until_s), (1, None));

        let now_s = 1_000 + IDLE_S;
        for number in 0..2 * MAX_SESSIONS {
            ended.add(&session(number, 1_000), now_s);
            assert!(ended.until_s.len() <= MAX_SESSIONS);
        }
        assert!((0..2 * MAX_SESSIONS).all(|number| ended.has(&session(number, 1_000))));
        assert!(ended.has(&session(usize::MAX, now_s)), "nor does any that was open then");
        assert!(!ended.has(&session(usize::MAX, now_s + 1)), "who signs in again is in");
    }
}
