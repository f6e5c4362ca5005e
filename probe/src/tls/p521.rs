//! Key exchange over the curve P-521, which rustls leaves to its users. Some servers offer no other.

use aws_lc_rs::agreement::{self, ECDH_P521, EphemeralPrivateKey, UnparsedPublicKey};
use aws_lc_rs::rand::SystemRandom;
use rustls::crypto::{ActiveKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// The group, to be offered after all others.
#[derive(Debug)]
pub(super) struct P521;

impl SupportedKxGroup for P521 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let private_key =
            EphemeralPrivateKey::generate(&ECDH_P521, &SystemRandom::new()).map_err(|_| GetRandomFailed)?;
        let public_key = private_key.compute_public_key().map_err(|_| GetRandomFailed)?;
        Ok(Box::new(Exchange { private_key, public_key: public_key.as_ref().to_vec() }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

struct Exchange {
    private_key: EphemeralPrivateKey,
    public_key: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SharedSecret, Error> {
        let misbehaved = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
        let peer_key = UnparsedPublicKey::new(&ECDH_P521, peer_public_key);
        agreement::agree_ephemeral(self.private_key, peer_key, misbehaved, |secret| Ok(SharedSecret::from(secret)))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public_key
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_come_to_the_same_secret_and_a_key_off_the_curve_is_refused() {
        let (ours, theirs) = (P521.start().unwrap(), P521.start().unwrap());
        let (our_key, their_key) = (ours.pub_key().to_vec(), theirs.pub_key().to_vec());
        let (secret, other) = (ours.complete(&their_key).unwrap(), theirs.complete(&our_key).unwrap());
        assert_eq!(secret.secret_bytes(), other.secret_bytes());
        for wrong in [&their_key[1..], &[4; 133][..], &[][..]] {
            assert!(P521.start().unwrap().complete(wrong).is_err());
        }
    }
}
