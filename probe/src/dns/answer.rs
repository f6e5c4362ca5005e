//! What a name server has answered, and what follows from several answers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use crate::Span;

/// How long the addresses of one family wait for those of the other (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

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

    /// The type of its records.
    pub(crate) fn record_type(self) -> RecordType {
        match self {
            Self::V4 => RecordType::A,
            Self::V6 => RecordType::AAAA,
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
    /// Who was asked.
    pub server: SocketAddr,
    /// For which addresses.
    pub family: Family,
    /// From question to answer; absent where none came.
    pub span: Option<Span>,
    /// What it said.
    pub outcome: DnsOutcome,
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
    /// SERVFAIL and the like, or why there was no answer.
    Failed(String),
    /// Nothing, by the time at which the measurement was over.
    Unanswered,
}

impl DnsOutcome {
    pub(super) fn of(answer: Result<Vec<IpAddr>, NetError>) -> Self {
        match answer {
            Ok(addresses) if addresses.is_empty() => Self::NoRecords,
            Ok(addresses) => Self::Addresses(addresses),
            Err(NetError::Dns(DnsError::NoRecordsFound(answer))) => match answer.response_code {
                ResponseCode::NXDomain => Self::NoSuchName,
                ResponseCode::NoError => Self::NoRecords,
                code => Self::Failed(spelled(code)),
            },
            Err(NetError::Dns(DnsError::ResponseCode(code))) => Self::Failed(spelled(code)),
            Err(NetError::Timeout) => Self::Failed("no answer".to_owned()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

/// As name servers' own logs write it.
fn spelled(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        code => code.to_string(),
    }
}

/// What follows from the answers that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// These addresses, and the phase: from the question to the last answer among them.
    Found(Vec<IpAddr>, Span),
    /// The name does not exist.
    NoSuchName,
    /// It exists and has no address that is wanted.
    NoAddress,
    /// Every server has failed.
    Failed,
    /// More answers are awaited; until then, where something is decided without them then.
    Wait(Option<Duration>),
}

/// Decides as a client does that asks all `servers` at once for all `families`: the first server that knows the name
/// or knows that there is none is believed; one that fails is not.
pub(super) fn judge(answers: &[DnsAnswer], servers: &[SocketAddr], families: &[Family], now: Duration) -> Verdict {
    let of_servers: Vec<_> = servers.iter().map(|server| of_server(answers, *server, families, now)).collect();
    let first = |matches: fn(&Verdict) -> bool| of_servers.iter().find(|verdict| matches(verdict)).cloned();
    let earliest = of_servers
        .iter()
        .filter(|verdict| matches!(verdict, Verdict::Found(..)))
        .min_by_key(|verdict| if let Verdict::Found(_, span) = verdict { span.end } else { Duration::MAX });
    earliest
        .cloned()
        .or_else(|| first(|verdict| matches!(verdict, Verdict::Wait(Some(_)))))
        .or_else(|| first(|verdict| matches!(verdict, Verdict::NoSuchName | Verdict::NoAddress)))
        .or_else(|| first(|verdict| matches!(verdict, Verdict::Wait(None))))
        .unwrap_or(Verdict::Failed)
}

fn of_server(answers: &[DnsAnswer], server: SocketAddr, families: &[Family], now: Duration) -> Verdict {
    let answers: Vec<_> = answers.iter().filter(|answer| answer.server == server).collect();
    let spans = || answers.iter().filter(|answer| !addresses(answer).is_empty()).filter_map(|answer| answer.span);
    let is_complete = answers.len() == families.len();
    if let Some(first_at) = spans().map(|span| span.end).min() {
        let settles_at = first_at + RESOLUTION_DELAY;
        if !is_complete && now < settles_at {
            return Verdict::Wait(Some(settles_at));
        }
        let waited_for = || answers.iter().filter_map(|answer| answer.span).filter(|span| span.end <= settles_at);
        let start = waited_for().map(|span| span.start).min().unwrap_or_default();
        let end = waited_for().map(|span| span.end).max().unwrap_or_default();
        // What came after the delay is used all the same.
        let found = families.iter().flat_map(|family| answers.iter().filter(move |answer| answer.family == *family));
        return Verdict::Found(found.flat_map(|answer| addresses(answer)).copied().collect(), Span { start, end });
    }
    match is_complete {
        false => Verdict::Wait(None),
        true if answers.iter().any(|answer| matches!(answer.outcome, DnsOutcome::Failed(_))) => Verdict::Failed,
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

    const SERVERS: [&str; 2] = ["192.0.2.53:53", "192.0.2.54:53"];

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn answer(server: usize, family: Family, took_ms: u64, outcome: DnsOutcome) -> DnsAnswer {
        let span = Some(Span { start: ms(1), end: ms(1 + took_ms) });
        DnsAnswer { server: SERVERS[server].parse().unwrap(), family, span, outcome }
    }

    fn found(address: &str) -> DnsOutcome {
        DnsOutcome::Addresses(vec![address.parse().unwrap()])
    }

    #[track_caller]
    fn check(answers: &[DnsAnswer], now_ms: u64, expected: &Verdict) {
        let servers = SERVERS.map(|server| server.parse().unwrap());
        assert_eq!(judge(answers, &servers, &Family::BOTH, ms(now_ms)), *expected);
    }

    #[track_caller]
    fn check_found(answers: &[DnsAnswer], now_ms: u64, addresses: &[&str], end_ms: u64) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        check(answers, now_ms, &Verdict::Found(addresses, Span { start: ms(1), end: ms(end_ms) }));
    }

    #[test]
    fn both_families_of_one_server_are_the_phase() {
        let v4 = answer(0, Family::V4, 10, found("192.0.2.1"));
        check(std::slice::from_ref(&v4), 12, &Verdict::Wait(Some(ms(61))));
        let v6 = answer(0, Family::V6, 20, found("2001:db8::1"));
        check_found(&[v4, v6], 21, &["2001:db8::1", "192.0.2.1"], 21);
    }

    #[test]
    fn a_family_that_does_not_answer_is_waited_for_50_ms() {
        let v4 = answer(0, Family::V4, 10, found("192.0.2.1"));
        check_found(std::slice::from_ref(&v4), 61, &["192.0.2.1"], 11);
    }

    #[test]
    fn a_server_that_fails_is_not_believed_and_one_that_knows_is() {
        let failed = || DnsOutcome::Failed("SERVFAIL".to_owned());
        let mut answers = vec![answer(0, Family::V4, 5, failed()), answer(0, Family::V6, 5, failed())];
        check(&answers, 6, &Verdict::Wait(None));
        answers.push(answer(1, Family::V4, 9, found("192.0.2.1")));
        answers.push(answer(1, Family::V6, 9, DnsOutcome::NoRecords));
        check_found(&answers, 10, &["192.0.2.1"], 10);
        answers.truncate(2);
        answers.extend([answer(1, Family::V4, 9, failed()), answer(1, Family::V6, 9, failed())]);
        check(&answers, 10, &Verdict::Failed);
    }

    #[test]
    fn the_first_server_that_knows_that_there_is_no_such_name_ends_it() {
        let no = |family| answer(1, family, 5, DnsOutcome::NoSuchName);
        check(&[no(Family::V4), no(Family::V6)], 6, &Verdict::NoSuchName);
        let none = |family| answer(0, family, 5, DnsOutcome::NoRecords);
        check(&[none(Family::V4), none(Family::V6)], 6, &Verdict::NoAddress);
    }

    #[test]
    fn the_faster_server_decides() {
        let mut answers = Vec::new();
        for (server, took_ms, address) in [(0, 30, "192.0.2.1"), (1, 10, "192.0.2.2")] {
            answers.push(answer(server, Family::V4, took_ms, found(address)));
            answers.push(answer(server, Family::V6, took_ms, DnsOutcome::NoRecords));
        }
        check_found(&answers, 31, &["192.0.2.2"], 11);
    }

    #[test]
    fn half_an_answer_and_a_failure_are_enough() {
        let answers = [
            answer(0, Family::V4, 5, found("192.0.2.1")),
            answer(0, Family::V6, 8, DnsOutcome::Failed("SERVFAIL".to_owned())),
        ];
        check_found(&answers, 9, &["192.0.2.1"], 9);
    }
}
