//! Why a listener rejects a caller that follows the protocol.

/// What a caller is told. It would be told the same if it called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The proof is not one of the listener's secret.
    #[error("it has another cluster secret")]
    WrongSecret,
    /// The caller is none of the processes that the listener waits for.
    #[error("it was given another -n, or this one another -p")]
    OtherMembers,
    /// The handshake is of another version.
    #[error("it is another version of netqoe; run the same version in all processes")]
    OtherVersion,
}

impl Rejection {
    const ALL: [Self; 3] = [Self::WrongSecret, Self::OtherMembers, Self::OtherVersion];

    /// As it is sent.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::WrongSecret => b'S',
            Self::OtherMembers => b'M',
            Self::OtherVersion => b'V',
        }
    }

    /// The rejection that is sent as this byte.
    pub(super) fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rejection| rejection.byte() == byte)
    }
}
