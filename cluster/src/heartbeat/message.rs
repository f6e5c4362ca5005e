//! What processes tell each other over a heartbeat connection: messages of a letter and a number.

pub(super) const MESSAGE_BYTES: usize = 9;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The sender lives.
    Alive,
    /// The least epoch that the sender can still take.
    Epoch(u64),
    /// The generation of this start, as process 0 has taken it.
    Generation(i64),
    /// The sender leaves, since it was asked to stop.
    AskedToStop,
    /// The sender leaves, since another cluster has taken over the store.
    TakenOver,
}

impl Message {
    pub(super) fn bytes(self) -> [u8; MESSAGE_BYTES] {
        let (letter, number) = match self {
            Self::Alive => (b'a', 0),
            Self::Epoch(next) => (b'e', next),
            Self::Generation(generation) => (b'g', generation.cast_unsigned()),
            Self::AskedToStop => (b'l', 0),
            Self::TakenOver => (b't', 0),
        };
        let mut bytes = [letter; MESSAGE_BYTES];
        bytes[1..].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    /// The message that these bytes are, or `None` if no message begins with their letter.
    pub(super) fn parse(bytes: [u8; MESSAGE_BYTES]) -> Option<Self> {
        let [letter, number @ ..] = bytes;
        let number = u64::from_be_bytes(number);
        match letter {
            b'a' => Some(Self::Alive),
            b'e' => Some(Self::Epoch(number)),
            b'g' => Some(Self::Generation(number.cast_signed())),
            b'l' => Some(Self::AskedToStop),
            b't' => Some(Self::TakenOver),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let all = [
            Message::Alive,
            Message::Epoch(u64::MAX),
            Message::Generation(-7),
            Message::AskedToStop,
            Message::TakenOver,
        ];
        for message in all {
            assert_eq!(Message::parse(message.bytes()), Some(message));
        }
        assert_eq!(Message::parse([b'x'; MESSAGE_BYTES]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_none(letter in prop::sample::select(b"aeglt?\0".to_vec()), number: [u8; 8]) {
            let mut bytes = [letter; MESSAGE_BYTES];
            bytes[1..].copy_from_slice(&number);
            let message = Message::parse(bytes);
            prop_assert_eq!(message.is_some(), b"aeglt".contains(&letter));
            if let Some(message @ (Message::Epoch(_) | Message::Generation(_))) = message {
                prop_assert_eq!(message.bytes(), bytes);
            }
        }
    }
}
