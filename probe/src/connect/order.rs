//! In which order the addresses of a host are tried.

use std::net::IpAddr;

/// Addresses that are tried. An answer of hundreds must not become hundreds of connections.
const MAX_ADDRESSES: usize = 8;

/// The families in turn, beginning with that of the first address, each in its own order (RFC 8305, section 4).
pub(super) fn in_turn(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first.is_ipv6());
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
    use super::*;

    #[track_caller]
    fn check(addresses: &[&str], expected: &[&str]) {
        let parse = |addresses: &[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect::<Vec<_>>();
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
    fn no_answer_leads_to_more_than_eight_connections() {
        let many: Vec<IpAddr> = (0..200).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        assert_eq!(in_turn(&many).len(), MAX_ADDRESSES);
    }
}
