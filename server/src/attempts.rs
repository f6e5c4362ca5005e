//! How fast tokens may be guessed: from each address so many wrong ones at once, then so many a second.
//!
//! Whether a token is right must not show in how fast the answer comes, so who tries one that has not been right from there
//! before waits before it is looked at. One that has been right goes on, whatever others at the same address (a proxy) try.
//!
//! Decision: D-064.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::outage::Outage;
use crate::tokens::TokenId;

/// What one try costs: ten wrong tokens a second for each address. A token of sixteen random characters stays unknown for ever.
const EACH: Duration = Duration::from_millis(100);
/// What may be tried at once: somebody who mistypes, or a fleet whose token was withdrawn, is answered at once for a while.
const FREE: Duration = Duration::from_secs(2);
/// How long a try may wait for its turn. What would wait longer is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Addresses that are remembered, a few megabytes. All others share one turn.
const MAX_ADDRESSES: usize = 10_000;
/// Tokens that are remembered as right for an address: as many as a proxy in front of a few teams sends.
const MAX_PROVEN: usize = 64;

/// The tries of each address.
pub(crate) struct Attempts {
    started: Instant,
    addresses: Mutex<HashMap<IpAddr, Tries>>,
    guessing: Outage,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { started: Instant::now(), addresses: Mutex::default(), guessing: Outage::default() }
    }
}

#[derive(Default)]
struct Tries {
    /// When all tries will be paid for.
    paid_at: Duration,
    proven: Vec<TokenId>,
}

/// Too many tries: come back after so many seconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) retry_after_s: u64,
}

impl Attempts {
    /// How long to wait before the answer to a token; `known` is whose it is, if anybody's.
    pub(crate) fn begin(&self, address: Option<IpAddr>, known: Option<TokenId>) -> Result<Duration, TooMany> {
        let now = self.started.elapsed();
        let begun = self.begin_at(address, known, now);
        if begun.is_err()
            && let Some(tries) = self.guessing.failed(now)
        {
            let address = address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
            tracing::warn!(
                "too many wrong tokens come, now from {address}: {tries} requests were not looked at so far"
            );
        } else if begun.is_ok() {
            self.guessing.succeeded(now);
        }
        begun
    }

    /// The token was right: it costs nothing, now and later.
    pub(crate) fn succeeded(&self, address: Option<IpAddr>, token: TokenId) {
        self.succeeded_at(address, token, self.started.elapsed());
    }

    fn begin_at(&self, address: Option<IpAddr>, known: Option<TokenId>, now: Duration) -> Result<Duration, TooMany> {
        let mut addresses = self.addresses.lock();
        let tries = tries_of(&mut addresses, address, now);
        if known.is_some_and(|token| tries.proven.contains(&token)) {
            return Ok(Duration::ZERO);
        }
        let paid_at = tries.paid_at.max(now) + EACH;
        let wait = (paid_at - now).saturating_sub(FREE);
        if wait > LONGEST_WAIT {
            return Err(TooMany { retry_after_s: wait.as_secs() + 1 });
        }
        tries.paid_at = paid_at;
        Ok(wait)
    }

    fn succeeded_at(&self, address: Option<IpAddr>, token: TokenId, now: Duration) {
        let mut addresses = self.addresses.lock();
        let tries = tries_of(&mut addresses, address, now);
        if !tries.proven.contains(&token) {
            tries.paid_at = tries.paid_at.saturating_sub(EACH);
            if tries.proven.len() >= MAX_PROVEN {
                tries.proven.remove(0);
            }
            tries.proven.push(token);
        }
    }
}

fn tries_of(addresses: &mut HashMap<IpAddr, Tries>, address: Option<IpAddr>, now: Duration) -> &mut Tries {
    const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut network = address.map_or(OTHERS, network);
    if !addresses.contains_key(&network) && addresses.len() >= MAX_ADDRESSES {
        addresses.retain(|_, tries| tries.paid_at > now);
        if addresses.len() >= MAX_ADDRESSES {
            network = OTHERS;
        }
    }
    addresses.entry(network).or_default()
}

/// Who has one address of IPv6 has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const OTHER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
    const START: Duration = Duration::from_secs(1_000);

    fn exhaust(attempts: &Attempts, address: Option<IpAddr>) -> usize {
        (0..1_000).take_while(|_| attempts.begin_at(address, None, START).is_ok()).count()
    }

    #[test]
    fn some_wrong_tokens_are_answered_at_once_then_some_after_a_while_and_no_more() {
        let attempts = Attempts::default();
        let free = (0..100).take_while(|_| attempts.begin_at(ADDRESS, None, START) == Ok(Duration::ZERO)).count();
        assert_eq!(free, 20);
        assert_eq!(attempts.begin_at(ADDRESS, None, START), Ok(2 * EACH));
        assert_eq!(exhaust(&attempts, ADDRESS), 18);
        assert_eq!(attempts.begin_at(ADDRESS, None, START), Err(TooMany { retry_after_s: 3 }));
        assert_eq!(attempts.begin_at(OTHER, None, START), Ok(Duration::ZERO));
        assert_eq!(attempts.begin_at(ADDRESS, None, START + Duration::from_secs(60)), Ok(Duration::ZERO));
    }

    #[test]
    fn a_right_token_goes_on_and_a_new_one_waits_as_a_wrong_one_does() {
        let attempts = Attempts::default();
        let (known, new) = (TokenId(1), TokenId(2));
        assert_eq!(attempts.begin_at(ADDRESS, Some(known), START), Ok(Duration::ZERO));
        attempts.succeeded_at(ADDRESS, known, START);
        assert_eq!(exhaust(&attempts, ADDRESS), 40, "a right one costs nothing");
        assert_eq!(attempts.begin_at(ADDRESS, Some(known), START), Ok(Duration::ZERO));
        assert!(attempts.begin_at(ADDRESS, Some(new), START).is_err(), "nobody can tell that it is right");
        assert_eq!(attempts.begin_at(OTHER, Some(new), START), Ok(Duration::ZERO));
    }

    #[test]
    fn addresses_are_networks_and_bounded() {
        let v6 = |text: &str| Some(text.parse().unwrap());
        let attempts = Attempts::default();
        exhaust(&attempts, v6("2001:db8::1"));
        assert!(attempts.begin_at(v6("2001:db8::ffff:1"), None, START).is_err());
        assert!(attempts.begin_at(v6("2001:db8:0:1::1"), None, START).is_ok());
        for number in 0..2 * MAX_ADDRESSES as u32 {
            let _ = attempts.begin_at(Some(Ipv4Addr::from_bits(number).into()), None, START);
        }
        assert!(attempts.addresses.lock().len() <= MAX_ADDRESSES + 1);
    }
}
