//! Event ids, reduced to a fixed size.
//!
//! Decision: D-002.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

/// 128-bit SipHash-1-3 of an event id.
///
/// Deduplication keeps this in place of the id. At 128 bits a million events a second for a century have a chance
/// of about 10⁻⁴ to hold even one accidental collision in one window of all of them; within one key's window it is
/// not worth a figure. The key is fixed, so that every process and every replay decides the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// The fingerprint of an event id.
    pub fn of(event_id: &str) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0x6e65_7471_6f65_2d69, 0x642d_7631_0000_0000);
        hasher.write(event_id.as_bytes());
        Self(hasher.finish128().as_u128())
    }
}
