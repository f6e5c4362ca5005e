//! What it takes to read the log.

use async_nats::jetstream::stream::Stream;
use netqoe_model::LogIdentity;

use super::connect::Connection;
use super::subjects::Subjects;

/// A handle on the log's stream.
#[derive(Clone)]
pub(super) struct Source {
    pub connection: Connection,
    pub stream: Stream,
    /// What errors call the log.
    pub name: String,
    /// Of the stream when the log was opened.
    pub identity: LogIdentity,
    pub subjects: Subjects,
}
