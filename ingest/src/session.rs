//! A session: what a browser holds instead of a token, so that no script and no disk sees the token.
//!
//! It is signed with the digest of the token that opened it, and kept nowhere: it outlives a restart, holds before every
//! server with the same tokens, and ends when its token is withdrawn.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long one lasts, in seconds: 30 days.
pub(crate) const LIFETIME_S: i64 = 30 * 86_400;

/// Until when a session lasts, and the proof that a server has said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    expires_s: i64,
    proof: [u8; 32],
}

impl Session {
    /// One that begins now, signed with this key.
    pub(crate) fn open(key: &[u8; 32], now_s: i64) -> Self {
        let expires_s = now_s.saturating_add(LIFETIME_S);
        Self { expires_s, proof: signature(key, expires_s).finalize().into_bytes().into() }
    }

    /// Whether this key has signed it. The time that this takes tells nothing of the key.
    pub(crate) fn is_signed_with(&self, key: &[u8; 32]) -> bool {
        signature(key, self.expires_s).verify_slice(&self.proof).is_ok()
    }

    pub(crate) fn is_over(&self, now_s: i64) -> bool {
        self.expires_s <= now_s
    }

    /// As it stands in a cookie.
    pub(crate) fn to_text(&self) -> String {
        let proof: String = self.proof.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}.{proof}", self.expires_s)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (expires_s, digits) = text.split_once('.')?;
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut proof = [0; 32];
        for (byte, pair) in proof.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self { expires_s: expires_s.parse().ok()?, proof })
    }
}

fn signature(key: &[u8; 32], expires_s: i64) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    #[allow(clippy::expect_used)]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.chain_update("netqoe session until ").chain_update(expires_s.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn one_holds_until_it_is_over_and_with_its_key_only() {
        let session = Session::parse(&Session::open(&KEY, 1_000).to_text()).unwrap();
        assert!(session.is_signed_with(&KEY));
        assert!(!session.is_signed_with(&[8; 32]));
        assert!(!session.is_over(1_000 + LIFETIME_S - 1));
        assert!(session.is_over(1_000 + LIFETIME_S));
    }

    #[test]
    fn a_forged_one_does_not_hold() {
        let text = Session::open(&KEY, 1_000).to_text();
        let (expires_s, proof) = text.split_once('.').unwrap();
        let later = Session::parse(&format!("{}.{proof}", expires_s.parse::<i64>().unwrap() + 1)).unwrap();
        assert!(!later.is_signed_with(&KEY));
        for forged in
            ["", ".", "1", "1.", "x.00", &text[..text.len() - 1], &format!("{text}0"), &format!("1.{}", "é".repeat(32))]
        {
            assert_eq!(Session::parse(forged), None, "{forged}");
        }
    }
}
