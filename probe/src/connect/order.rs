//! In which order the addresses of a host are tried.

use crate::HostAddress;

/// Addresses that are tried: more than any service has in one answer. An answer of hundreds must not become hundreds of
/// connections.
const MAX_ADDRESSES: usize = 32;

/// The families in turn, beginning with that of the first address, each in its own order (RFC 8305, section 4).
pub(crate) fn in_turn(addresses: &[HostAddress]) -> Vec<HostAddress> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.ip.is_ipv6() == first.ip.is_ipv6());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [preferred.next(), other.next()];
        ordered.extend(pair.into_iter().flatten());
        if pair == [None, None] {
            ordered.truncate(MAX_ADDRESSES);
            return ordered;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[track_caller]
    fn check(addresses: &[&str], expected: &[&str]) {
        let parse = |addresses: &[&str]| {
            addresses.iter().map(|address| address.parse::<IpAddr>().unwrap().into()).collect::<Vec<_>>()
        };
        assert_eq!(in_turn(&parse(addresses)), parse(expected));
    }

    #[test]
    fn families_take_turns() {
        check(&["::1", "::2", "::3", "1.0.0.1", "1.0.0.2"], &["::1", "1.0.0.1", "::2", "1.0.0.2", "::3"]);
        check(&["1.0.0.1", "::1", "1.0.0.2"], &["1.0.0.1", "::1", "1.0.0.2"]);
        check(&["1.0.0.2", "1.0.0.1"], &["1.0.0.2", "1.0.0.1"]);
        check(&[], &[]);
    }

    #[test]
    fn a_ninth_address_is_tried_and_a_thirty_third_is_not() {
        let many = |count| (0..count).map(|last| IpAddr::from([192, 0, 2, last]).into()).collect::<Vec<HostAddress>>();
        assert_eq!(in_turn(&many(9)), many(9));
        assert_eq!(in_turn(&many(200)), many(32));
    }
}
