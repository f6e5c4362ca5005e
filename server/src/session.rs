//! A session: what a browser holds instead of a token, so that no script and no disk sees the token.
//!
//! It is signed with a key that is made of the token that opened it, and kept nowhere: it outlives a restart, holds before every
//! server with the same tokens, and ends when its token is withdrawn. It is renewed while it is used, and is over soon when it
//! is not; which of them were ended is remembered apart (`signed_out`).
//!
//! Decision: D-046.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long one lasts that is not used, in seconds: a day, so that who looks every day stays signed in.
pub(crate) const IDLE_S: i64 = 86_400;
/// How long one lasts however it is used, in seconds: 30 days.
const LIFETIME_S: i64 = 30 * 86_400;
/// How old a cookie is before it is renewed, in seconds: few answers carry one.
const RENEW_AFTER_S: i64 = 3_600;

/// Tells a session from all others, and is the same in all its cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(pub(crate) [u8; 16]);

/// Who a session is, since when, and the proof that a server has said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    id: SessionId,
    opened_s: i64,
    renewed_s: i64,
    proof: [u8; 32],
}

impl Session {
    /// One that begins now, signed with this key. No other has this id.
    pub(crate) fn open(key: &[u8; 32], id: SessionId, now_s: i64) -> Self {
        Self::sign(key, id, now_s, now_s)
    }

    /// The same, as used now.
    pub(crate) fn renew(&self, key: &[u8; 32], now_s: i64) -> Self {
        Self::sign(key, self.id, self.opened_s, now_s)
    }

    fn sign(key: &[u8; 32], id: SessionId, opened_s: i64, renewed_s: i64) -> Self {
        Self { id, opened_s, renewed_s, proof: signature(key, id, opened_s, renewed_s).finalize().into_bytes().into() }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) fn opened_s(&self) -> i64 {
        self.opened_s
    }

    /// Whether this key has signed it. The time that this takes tells nothing of the key.
    pub(crate) fn is_signed_with(&self, key: &[u8; 32]) -> bool {
        signature(key, self.id, self.opened_s, self.renewed_s).verify_slice(&self.proof).is_ok()
    }

    pub(crate) fn is_over(&self, now_s: i64) -> bool {
        self.left_s(now_s) <= 0
    }

    /// How long it lasts if it is not used, in seconds.
    pub(crate) fn left_s(&self, now_s: i64) -> i64 {
        let unused = self.renewed_s.saturating_add(IDLE_S);
        unused.min(self.opened_s.saturating_add(LIFETIME_S)).saturating_sub(now_s)
    }

    /// Whether it is time for a new cookie.
    pub(crate) fn wants_renewal(&self, now_s: i64) -> bool {
        now_s.saturating_sub(self.renewed_s) >= RENEW_AFTER_S
    }

    /// As it stands in a cookie.
    pub(crate) fn to_text(&self) -> String {
        format!("{}.{}.{}.{}", hex(&self.id.0), self.opened_s, self.renewed_s, hex(&self.proof))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let session = Self {
            id: SessionId(bytes(parts.next()?)?),
            opened_s: parts.next()?.parse().ok()?,
            renewed_s: parts.next()?.parse().ok()?,
            proof: bytes(parts.next()?)?,
        };
        parts.next().is_none().then_some(session)
    }
}

fn signature(key: &[u8; 32], id: SessionId, opened_s: i64, renewed_s: i64) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    #[allow(clippy::expect_used)]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.chain_update(format!("netqoe session {} opened {opened_s} renewed {renewed_s}", hex(&id.0)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that so many hexadecimal digits stand for; none where it is anything else.
fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const ID: SessionId = SessionId([9; 16]);

    #[test]
    fn one_holds_until_it_is_over_and_with_its_key_only() {
        let session = Session::parse(&Session::open(&KEY, ID, 1_000).to_text()).unwrap();
        assert!(session.is_signed_with(&KEY));
        assert!(!session.is_signed_with(&[8; 32]));
        assert!(!session.is_over(1_000 + IDLE_S - 1));
        assert!(session.is_over(1_000 + IDLE_S));
    }

    #[test]
    fn one_that_is_used_lasts_for_thirty_days() {
        let (mut session, mut now_s) = (Session::open(&KEY, ID, 1_000), 1_000);
        assert!(!session.wants_renewal(now_s + RENEW_AFTER_S - 1));
        while !session.is_over(now_s) {
            assert!(session.is_signed_with(&KEY) && session.id() == ID);
            now_s += RENEW_AFTER_S;
            assert!(session.wants_renewal(now_s));
            session = session.renew(&KEY, now_s);
        }
        assert_eq!(now_s, 1_000 + LIFETIME_S);
    }

    #[test]
    fn a_forged_one_does_not_hold() {
        let text = Session::open(&KEY, ID, 1_000).to_text();
        let parts: Vec<_> = text.split('.').collect();
        for (part, forged) in
            [(0, "08".repeat(16)), (1, "1001".to_owned()), (2, "1001".to_owned()), (3, "00".repeat(32))]
        {
            let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts[part] = forged;
            assert!(!Session::parse(&parts.join(".")).unwrap().is_signed_with(&KEY), "{parts:?}");
        }
        let too_long = format!("{text}.1");
        for forged in
            ["", ".", "...", "1.2", "x.1.1.00", &text[..text.len() - 1], &text[1..], &format!("{text}0"), &too_long]
        {
            assert_eq!(Session::parse(forged), None, "{forged}");
        }
        assert_eq!(Session::parse(&format!("{}.1.1.{}", "é".repeat(16), parts[3])), None);
    }
}
