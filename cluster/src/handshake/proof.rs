//! What shows that a side knows the secret, without telling anything about it.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::frames::Hello;
use crate::Secret;

pub(crate) const NONCE_BYTES: usize = 32;
pub(super) const PROOF_BYTES: usize = 32;
/// What each proof is about, so that the secret proves nothing that another protocol might ask for.
const CONTEXT: &[u8] = b"netqoe cluster handshake";

/// Random bytes that were never used before.
pub(crate) type Nonce = [u8; NONCE_BYTES];
pub(super) type Proof = [u8; PROOF_BYTES];

/// Who proves something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller = 1,
    Listener = 2,
}

/// All that both sides have said before one of them proves something.
#[derive(Clone, Debug)]
pub(super) struct Transcript {
    /// The caller's, with its nonce.
    pub(super) hello: Hello,
    /// The listener's.
    pub(super) nonce: Nonce,
}

impl Transcript {
    /// The proof of this side.
    pub(super) fn proof(&self, side: Side, secret: &Secret) -> Proof {
        self.mac(side, secret).finalize().into_bytes().into()
    }

    /// Whether this is the proof of that side. The time that the comparison takes does not depend on the proof.
    pub(super) fn is_proved(&self, side: Side, secret: &Secret, proof: &Proof) -> bool {
        self.mac(side, secret).verify_slice(proof).is_ok()
    }

    /// All parts have a fixed length, so no two transcripts are the same bytes.
    fn mac(&self, side: Side, secret: &Secret) -> Hmac<Sha256> {
        secret
            .mac()
            .chain_update(CONTEXT)
            .chain_update([side as u8])
            .chain_update(self.hello.0)
            .chain_update(self.nonce)
    }
}
