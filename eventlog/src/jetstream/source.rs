//! What it takes to read the log.

use std::future::Future;

use async_nats::jetstream::stream::Stream;
use netqoe_model::{Event, LogIdentity, Partition};

use super::connect::{Connection, with_sources};
use super::continuity::Break;
use super::subjects::{Origin, Subjects};
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

    /// Whose a message with these lines is; nobody's where its subject is no partition's. A plain message is handed out as
    /// one of its client's partition, so that order and progress of a partition hold for what others publish, too; what
    /// can't be read is the first partition's.
    pub(super) fn partition_of(&self, subject: &str, lines: &[u8]) -> Option<Partition> {
        match self.subjects.origin(subject) {
            Origin::Partition(partition) => Some(partition),
            Origin::Plain => {
                let of_client = |event: Event<'_>| Partition::of(&event.client_id, self.identity.partitions);
                Some(Event::parse(lines).map_or(Partition(0), of_client))
            }
            Origin::Foreign => None,
        }
    }

    /// Does something with the stream; see [`Connection::insist`].
    pub(super) async fn insist<T, Work>(&self, work: impl Fn() -> Work) -> Result<T, LogError>
    where
        Work: Future<Output = Result<T, Break>>,
    {
        self.connection.insist(&self.name, work).await
    }
}
