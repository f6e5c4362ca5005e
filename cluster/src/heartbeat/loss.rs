//! How another process of the cluster is lost, in words.

use super::message::Message;

/// A process that works with this one no more. This one must end too: a cluster works as a whole, or starts again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("process {process} of the cluster is lost: {how}; {}", how.what_to_do())]
pub struct Lost {
    /// Which process.
    pub process: usize,
    /// How that was noticed.
    pub how: Loss,
}

/// How a process is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// No heartbeat came for the takeover time.
    #[error("it gives no sign of life")]
    Silent,
    /// It has closed the connection.
    #[error("it has ended")]
    Ended,
    /// The connection broke.
    #[error("it can't be heard: {0}")]
    Broken(String),
    /// It sends what is no message.
    #[error("what it says is not understood")]
    NotUnderstood,
    /// As it said itself. What was read can still be committed.
    #[error("it was asked to stop")]
    AskedToStop,
    /// As it said itself. Nothing more can be committed.
    #[error("another cluster has taken over the store")]
    TakenOver,
}

impl Loss {
    fn what_to_do(&self) -> &'static str {
        match self {
            Self::TakenOver => "run only one of them",
            _ => "start all of them again",
        }
    }

    /// What a process that leaves in this way tells the others.
    pub(super) fn farewell(&self) -> Option<Message> {
        match self {
            Self::AskedToStop => Some(Message::AskedToStop),
            Self::TakenOver => Some(Message::TakenOver),
            Self::Silent | Self::Ended | Self::Broken(_) | Self::NotUnderstood => None,
        }
    }
}
