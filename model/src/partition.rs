//! How the log is divided.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

/// Partitions of a log that is made without saying otherwise. More than the workers of any one machine that we
/// know of, few enough that an idle one costs nothing.
pub const DEFAULT_PARTITIONS: NonZeroU16 = NonZeroU16::new(16).unwrap();

/// One of the parts of a log: the unit of order, of ownership by a worker, of progress and of commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl Partition {
    /// The partition of a client: 64-bit FNV-1a of the bytes of its `client_id`, modulo the number of partitions.
    ///
    /// The hash is part of the log's format, so that publishers in any language can follow it: start with
    /// 0xcbf29ce484222325; for each byte, exclusive-or it in, then multiply by 0x100000001b3 modulo 2⁶⁴.
    /// Source: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm".
    pub fn of(client_id: &str, partitions: NonZeroU16) -> Self {
        let hash = client_id
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self((hash % u64::from(partitions.get())) as u16)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vectors of FNV-1a: this is a format, it must never change.
    #[test]
    fn follows_the_published_hash() {
        let many = NonZeroU16::new(65_521).unwrap();
        for (client_id, hash) in
            [("a", 0xaf63_dc4c_8601_ec8c_u64), ("foobar", 0x8594_4171_f739_67e8), ("", 0xcbf2_9ce4_8422_2325)]
        {
            assert_eq!(Partition::of(client_id, many).0, (hash % 65_521) as u16, "{client_id:?}");
        }
    }
}
