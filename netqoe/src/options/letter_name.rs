use std::str::FromStr;

use netqoe_model::Position;
use netqoe_sinks::LetterKey;

use crate::exit::WrongUsage;

/// What a dead letter is called: a place in a stream, or three numbers in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetterName {
    Stream(Position),
    Store(LetterKey),
}

impl FromStr for LetterName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_stream = text.parse().map(|position| Self::Stream(Position(position)));
        of_stream
            .or_else(|_| text.parse().map(Self::Store))
            .map_err(|_| "give a position as `netqoe dlq list` shows it")
    }
}

impl LetterName {
    /// Of a letter in a stream.
    pub(crate) fn of_stream(self) -> Result<Position, WrongUsage> {
        match self {
            Self::Stream(position) => Ok(position),
            Self::Store(key) => Err(WrongUsage(format!("{key} names a letter of `netqoe up`; give its --data"))),
        }
    }

    /// Of a letter in the store of `up`.
    pub(crate) fn of_store(self) -> Result<LetterKey, WrongUsage> {
        match self {
            Self::Store(key) => Ok(key),
            Self::Stream(Position(position)) => Err(WrongUsage(format!(
                "{position} names a letter of a stream; those of `netqoe up` are named as `netqoe dlq list --data DIR` shows"
            ))),
        }
    }
}
