//! The listener's side of a handshake. Pure: bytes in, a frame or a reason to close the connection out.

use super::frames::{self, Begins, Call, Challenge, HELLO_BYTES, Hello, Welcome};
use super::proof::{Nonce, PROOF_BYTES, Side, Transcript};
use super::rejection::Rejection;
use crate::Membership;

/// A handshake that has begun with a connection.
#[derive(Debug)]
pub(crate) struct Listening {
    nonce: Nonce,
    /// The first frame, once it is here.
    hello: Option<Hello>,
    /// What has come of the frame that is expected.
    received: Vec<u8>,
}

/// What the listener answers to a whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Challenge(Challenge),
    /// The handshake is complete: the caller is a process of the cluster.
    Welcome(Call, Welcome),
}

/// Why the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The caller is told why.
    #[error("{0}")]
    Rejected(Rejection),
    /// The caller does not follow the protocol and would not understand an answer.
    #[error("it is another program")]
    NotUnderstood,
}

impl Listening {
    /// A handshake with this nonce, which no other handshake has had.
    pub(crate) fn new(nonce: Nonce) -> Self {
        Self { nonce, hello: None, received: Vec::with_capacity(HELLO_BYTES) }
    }

    /// Whether the first frame has come.
    pub(crate) fn has_said_hello(&self) -> bool {
        self.hello.is_some()
    }

    /// Takes bytes that the caller has sent. There is a reply once they complete a frame.
    pub(crate) fn receive(&mut self, bytes: &[u8], membership: &Membership) -> Result<Option<Reply>, Refused> {
        let expected = if self.hello.is_some() { PROOF_BYTES } else { HELLO_BYTES };
        // A caller waits for the reply before it sends more.
        let room = (expected + 1).saturating_sub(self.received.len());
        self.received.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if self.hello.is_none() {
            // What begins in another way is not waited for.
            match Hello::begins(&self.received) {
                Begins::AsOurs => {}
                Begins::WithOtherVersion => return Err(Refused::Rejected(Rejection::OtherVersion)),
                Begins::Otherwise => return Err(Refused::NotUnderstood),
            }
        }
        if self.received.len() > expected {
            return Err(Refused::NotUnderstood);
        }
        match self.hello.take() {
            None => Ok(self.challenge()),
            Some(hello) => self.judge(hello, membership),
        }
    }

    fn challenge(&mut self) -> Option<Reply> {
        let bytes = <[u8; HELLO_BYTES]>::try_from(self.received.as_slice()).ok()?;
        self.received.clear();
        self.hello = Some(Hello(bytes));
        Some(Reply::Challenge(frames::challenge(&self.nonce)))
    }

    fn judge(&mut self, hello: Hello, membership: &Membership) -> Result<Option<Reply>, Refused> {
        let Ok(proof) = <[u8; PROOF_BYTES]>::try_from(self.received.as_slice()) else {
            self.hello = Some(hello);
            return Ok(None);
        };
        let transcript = Transcript { hello, nonce: self.nonce };
        // First of all: nobody else learns which processes there are.
        if !transcript.is_proved(Side::Caller, &membership.secret, &proof) {
            return Err(Refused::Rejected(Rejection::WrongSecret));
        }
        let call = transcript.hello.call().filter(|call| call.fits(membership));
        let call = call.ok_or(Refused::Rejected(Rejection::OtherMembers))?;
        let own_proof = transcript.proof(Side::Listener, &membership.secret);
        Ok(Some(Reply::Welcome(call, frames::welcome(&own_proof))))
    }
}
