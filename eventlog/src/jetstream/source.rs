//! What it takes to read the log.

use std::future::Future;

use async_nats::jetstream::stream::Stream;
use netqoe_model::LogIdentity;

use super::connect::{Connection, with_sources};
use super::continuity::Break;
use super::subjects::Subjects;
use crate::LogError;

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

impl Source {
    /// Deletes a stream of the same server; `name` is what errors call it.
    pub(super) async fn delete(&self, stream: &Stream, name: &str) -> Result<(), LogError> {
        let deleted = self.connection.jetstream.delete_stream(&stream.cached_info().config.name).await;
        deleted.map(drop).map_err(|error| LogError::Stream { log: name.to_owned(), reason: with_sources(&error) })
    }

    /// Does something with the stream; see [`Connection::insist`].
    pub(super) async fn insist<T, Work>(&self, work: impl Fn() -> Work) -> Result<T, LogError>
    where
        Work: Future<Output = Result<T, Break>>,
    {
        self.connection.insist(&self.name, work).await
    }
}
