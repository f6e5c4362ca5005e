//! What a name server has answered, and what follows from it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::Span;

/// How long the addresses of one family wait for those of the other (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

const SERVER_FAILURE: u16 = 2;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4: A records.
    V4,
    /// IPv6: AAAA records.
    V6,
}

impl Family {
    /// Both, the preferred first.
    pub(crate) const BOTH: [Self; 2] = [Self::V6, Self::V4];

    /// The type of its records, as messages number it.
    pub(super) fn record_type(self) -> u16 {
        match self {
            Self::V4 => 1,
            Self::V6 => 28,
        }
    }

    /// Whether an address is of this family.
    pub(crate) fn holds(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }
}

/// One question to one name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The server.
    pub server: SocketAddr,
    /// For which name, if it is not the target's own but one of the search list.
    pub name: Option<String>,
    /// For which addresses.
    pub family: Family,
    /// From question to answer; absent if none came.
    pub span: Option<Span>,
    /// What it said.
    pub outcome: DnsOutcome,
    /// What it calls the name an alias of (CNAME), at the end of all aliases.
    pub alias: Option<String>,
}

/// What a name server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsOutcome {
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// NXDOMAIN.
    NoSuchName,
    /// The name has no address of this family.
    NoRecords,
    /// Another response code: SERVFAIL and the like.
    Code(u16),
    /// Why there is no usable answer.
    Failed(String),
    /// Nothing, before the wait ended.
    Unanswered,
}

impl DnsOutcome {
    /// Why the next server is asked; `None` if this one is believed.
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Self::Code(code) => Some(spelled(*code)),
            Self::Failed(cause) => Some(cause.clone()),
            Self::Unanswered => Some("no answer".to_owned()),
            Self::Addresses(_) | Self::NoSuchName | Self::NoRecords => None,
        }
    }

    pub(super) fn is_server_failure(&self) -> bool {
        *self == Self::Code(SERVER_FAILURE)
    }

    /// Whether the server has said anything, be it that it has failed.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self, Self::Failed(_) | Self::Unanswered)
    }
}

/// As name servers' own logs write it.
fn spelled(code: u16) -> String {
    match code {
        1 => "FORMERR".to_owned(),
        SERVER_FAILURE => "SERVFAIL".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        9 => "NOTAUTH".to_owned(),
        16 => "BADVERS".to_owned(),
        code => format!("response code {code}"),
    }
}

/// What follows from the answers of one server to the questions for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// These addresses, and when the last answer among them came that was waited for.
    Found(Vec<IpAddr>, Duration),
    /// The name does not exist.
    NoSuchName,
    /// It exists and has no address that is wanted.
    NoAddress,
    /// The server can't tell.
    Failed,
    /// More answers are awaited; until then, where something is decided without them then.
    Wait(Option<Duration>),
}

/// Decides as a client does that has asked for all `families`, and waits for all of them or, as `is_patient` says, not
/// much longer than for the first.
pub(super) fn judge(answers: &[&DnsAnswer], families: &[Family], is_patient: bool, now: Duration) -> Verdict {
    let ends = || answers.iter().filter(|answer| !addresses(answer).is_empty()).filter_map(|answer| answer.span);
    let is_complete = answers.len() == families.len();
    if let Some(first_at) = ends().map(|span| span.end).min() {
        let settles_at = if is_patient { Duration::MAX } else { first_at + RESOLUTION_DELAY };
        if !is_complete && now < settles_at {
            return Verdict::Wait((!is_patient).then_some(settles_at));
        }
        let waited_for = answers.iter().filter_map(|answer| answer.span).filter(|span| span.end <= settles_at);
        let end = waited_for.map(|span| span.end).max().unwrap_or(first_at);
        // What came after the delay is used all the same.
        let found = families.iter().flat_map(|family| answers.iter().filter(move |answer| answer.family == *family));
        return Verdict::Found(found.flat_map(|answer| addresses(answer)).copied().collect(), end);
    }
    match is_complete {
        false => Verdict::Wait(None),
        true if answers.iter().any(|answer| answer.outcome.failure().is_some()) => Verdict::Failed,
        true if answers.iter().any(|answer| answer.outcome == DnsOutcome::NoSuchName) => Verdict::NoSuchName,
        true => Verdict::NoAddress,
    }
}

fn addresses(answer: &DnsAnswer) -> &[IpAddr] {
    if let DnsOutcome::Addresses(addresses) = &answer.outcome { addresses } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn answer(family: Family, took_ms: u64, outcome: DnsOutcome) -> DnsAnswer {
        let span = Some(Span { start: ms(1), end: ms(1 + took_ms) });
        DnsAnswer { server: "192.0.2.53:53".parse().unwrap(), name: None, family, span, outcome, alias: None }
    }

    fn found(address: &str) -> DnsOutcome {
        DnsOutcome::Addresses(vec![address.parse().unwrap()])
    }

    #[track_caller]
    fn check(answers: &[DnsAnswer], now_ms: u64, expected: &Verdict) {
        let answers: Vec<_> = answers.iter().collect();
        assert_eq!(judge(&answers, &Family::BOTH, false, ms(now_ms)), *expected);
    }

    #[track_caller]
    fn check_found(answers: &[DnsAnswer], now_ms: u64, addresses: &[&str], end_ms: u64) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        check(answers, now_ms, &Verdict::Found(addresses, ms(end_ms)));
    }

    #[test]
    fn both_families_are_the_phase() {
        let v4 = answer(Family::V4, 10, found("192.0.2.1"));
        check(std::slice::from_ref(&v4), 12, &Verdict::Wait(Some(ms(61))));
        let v6 = answer(Family::V6, 20, found("2001:db8::1"));
        check_found(&[v4, v6], 21, &["2001:db8::1", "192.0.2.1"], 21);
    }

    #[test]
    fn a_family_that_does_not_answer_is_waited_for_50_ms() {
        let v4 = answer(Family::V4, 10, found("192.0.2.1"));
        check_found(std::slice::from_ref(&v4), 61, &["192.0.2.1"], 11);
        let patient = judge(&[&v4], &Family::BOTH, true, ms(61));
        assert_eq!(patient, Verdict::Wait(None), "where one is asked for after the other, both are waited for");
    }

    #[test]
    fn who_fails_for_one_family_is_not_believed_about_the_other() {
        for failed in [DnsOutcome::Code(2), DnsOutcome::Failed("refused".to_owned()), DnsOutcome::Unanswered] {
            for other in [DnsOutcome::NoRecords, DnsOutcome::NoSuchName] {
                check(&[answer(Family::V4, 5, other), answer(Family::V6, 5, failed.clone())], 6, &Verdict::Failed);
            }
        }
    }

    #[test]
    fn half_an_answer_and_a_failure_are_enough() {
        let answers = [answer(Family::V4, 5, found("192.0.2.1")), answer(Family::V6, 8, DnsOutcome::Code(2))];
        check_found(&answers, 9, &["192.0.2.1"], 9);
    }

    #[test]
    fn there_is_no_such_name_or_no_address() {
        let both = |outcome: DnsOutcome| [answer(Family::V4, 5, outcome.clone()), answer(Family::V6, 5, outcome)];
        check(&both(DnsOutcome::NoSuchName), 6, &Verdict::NoSuchName);
        check(&both(DnsOutcome::NoRecords), 6, &Verdict::NoAddress);
        check(&both(DnsOutcome::NoSuchName)[..1], 6, &Verdict::Wait(None));
    }
}
