//! What it takes to read the log.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::{Info, Stream};
use netqoe_model::LogIdentity;

use super::breaks::Break;
use super::connect::{Connection, with_sources};
use super::servers::Task;
use super::subjects::Subjects;
use crate::LogError;

/// How long the server may take to say how the stream is, before that is taken for no answer.
pub(super) const LOOK_WAIT: Duration = Duration::from_secs(2);
/// A server that keeps copies with another one hears of it about every second. After so long without it, it is away.
const COPY_SILENCE: Duration = Duration::from_secs(4);

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
    /// The stream's last position when it was last looked at.
    pub end: Arc<AtomicU64>,
}

impl Source {
    /// Deletes a stream of the same server; `name` is what errors call it.
    pub(super) async fn delete(&self, stream: &Stream, name: &str) -> Result<(), LogError> {
        let deleted = self.connection.jetstream.delete_stream(&stream.cached_info().config.name).await;
        deleted.map(drop).map_err(|error| LogError::Stream { log: name.to_owned(), reason: with_sources(&error) })
    }

    /// How the stream is, as the server says that is connected. Where it does not say so for a while, or says that it has
    /// lost the others, another server is connected to.
    pub(super) async fn look(&self) -> Result<Info, String> {
        let asked = Instant::now();
        let answer = tokio::time::timeout(LOOK_WAIT, self.stream.get_info()).await;
        let answer = match answer {
            Ok(Ok(info)) if leads_alone(&info) => {
                Err("the server that leads the stream has lost the others".to_owned())
            }
            Ok(Ok(info)) => {
                self.end.store(info.state.last_sequence, Ordering::Relaxed);
                Ok(info)
            }
            Ok(Err(error)) => Err(with_sources(&error)),
            Err(_) => Err(format!("nothing came within {LOOK_WAIT:?}")),
        };
        self.connection.note(Task::Look, asked, answer.is_ok());
        answer
    }

    /// Does something with the stream; see [`Connection::insist`].
    pub(super) async fn insist<T, Work>(&self, work: impl Fn() -> Work) -> Result<T, LogError>
    where
        Work: Future<Output = Result<T, Break>>,
    {
        self.connection.insist(&self.name, work).await
    }
}

/// Whether the server that leads the stream hears of too few others to store anything. It goes on answering for a while.
fn leads_alone(info: &Info) -> bool {
    let Some(cluster) = info.cluster.as_ref().filter(|cluster| !cluster.replicas.is_empty()) else { return false };
    let heard = cluster.replicas.iter().filter(|replica| !replica.offline && replica.active < COPY_SILENCE).count();
    let majority = cluster.replicas.len().div_ceil(2);
    heard < majority
}
