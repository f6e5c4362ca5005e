//! The frames of a handshake, all of fixed size.

use super::proof::{NONCE_BYTES, Nonce, PROOF_BYTES, Proof};
use crate::Membership;

/// What a `Hello` of netqoe begins with, whatever its version.
const NAME: [u8; 7] = *b"netqoe-";
/// The version of this handshake. Version 1 sent a digest of the secret, which could be recorded and sent again.
const VERSION: u8 = b'2';
/// Name and version, nonce, how many processes, who calls, whom it calls, what for.
pub(super) const HELLO_BYTES: usize = NAME.len() + 1 + NONCE_BYTES + 2 + 2 + 2 + 1;
/// The first byte of what a listener sends. 1 is not among them: a caller of version 1 would take it for a welcome.
pub(super) const CHALLENGE: u8 = b'C';
pub(super) const WELCOME: u8 = b'W';
/// A listener's answer to a `Hello`: its first byte and the listener's nonce.
pub(crate) type Challenge = [u8; 1 + NONCE_BYTES];
/// A listener's answer to a `Proof`: its first byte and the listener's proof.
pub(crate) type Welcome = [u8; 1 + PROOF_BYTES];

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Timely's messages.
    Timely,
    /// Heartbeats.
    Heartbeat,
}

impl Purpose {
    pub(crate) const ALL: [Self; 2] = [Self::Timely, Self::Heartbeat];
}

/// Who calls whom, in a cluster of how many processes, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The process that calls.
    pub(crate) process: usize,
    /// The process that it wants to reach.
    pub(crate) called: usize,
    pub(crate) processes: usize,
    pub(crate) purpose: Purpose,
}

impl Call {
    /// Whether this comes from a later process of the same cluster, and is meant for this one.
    pub(super) fn fits(&self, membership: &Membership) -> bool {
        self.processes == membership.addresses.len()
            && self.called == membership.process
            && (membership.process + 1..self.processes).contains(&self.process)
    }

    /// The first frame.
    pub(super) fn hello(&self, nonce: &Nonce) -> Hello {
        let mut bytes = [0; HELLO_BYTES];
        let (name, rest) = bytes.split_at_mut(NAME.len());
        name.copy_from_slice(&NAME);
        rest[0] = VERSION;
        let (sent_nonce, numbers) = rest[1..].split_at_mut(NONCE_BYTES);
        sent_nonce.copy_from_slice(nonce);
        for (at, number) in [self.processes, self.process, self.called].into_iter().enumerate() {
            numbers[2 * at..][..2].copy_from_slice(&two_bytes(number));
        }
        numbers[6] = self.purpose as u8;
        Hello(bytes)
    }
}

/// The first frame, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello(pub(super) [u8; HELLO_BYTES]);

/// What the beginning of a `Hello` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// It may become one.
    AsOurs,
    /// It is one of another version.
    WithOtherVersion,
    /// It is something else.
    Otherwise,
}

impl Hello {
    /// What these first bytes of a connection may become.
    pub(super) fn begins(bytes: &[u8]) -> Begins {
        if bytes.iter().zip(&NAME).any(|(byte, expected)| byte != expected) {
            return Begins::Otherwise;
        }
        match bytes.get(NAME.len()) {
            None | Some(&VERSION) => Begins::AsOurs,
            Some(_) => Begins::WithOtherVersion,
        }
    }

    /// What it says, or `None` if it names a purpose that does not exist.
    pub(super) fn call(&self) -> Option<Call> {
        let numbers = &self.0[NAME.len() + 1 + NONCE_BYTES..];
        let number = |at: usize| usize::from(u16::from_be_bytes([numbers[2 * at], numbers[2 * at + 1]]));
        let purpose = Purpose::ALL.into_iter().find(|&purpose| purpose as u8 == numbers[6])?;
        Some(Call { processes: number(0), process: number(1), called: number(2), purpose })
    }
}

/// A listener's answer to a `Hello`.
pub(super) fn challenge(nonce: &Nonce) -> Challenge {
    let mut bytes = [CHALLENGE; 1 + NONCE_BYTES];
    bytes[1..].copy_from_slice(nonce);
    bytes
}

/// A listener's answer to a `Proof`.
pub(super) fn welcome(proof: &Proof) -> Welcome {
    let mut bytes = [WELCOME; 1 + PROOF_BYTES];
    bytes[1..].copy_from_slice(proof);
    bytes
}

/// Options allow no larger index. One that did not fit would be that of no process.
fn two_bytes(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes()
}
