//! An existing stream, for read-only commands: they never create it and change nothing of it. A new stream reserves
//! gigabytes, and a mistyped name would look like a log without events.
//!
//! Decision: D-031.

use async_nats::jetstream::stream::Stream;
use netqoe_model::LogIdentity;

use super::connect::Connection;
use super::find::{self, unusable};
use super::options::StreamOptions;
use super::stream::{OpenStream, identity, partitions};
use super::subjects::Subjects;
use crate::LogError;

/// Finds the stream of a log.
pub(super) async fn open(connection: &Connection, options: &StreamOptions) -> Result<OpenStream, LogError> {
    let stream = find(connection, &options.name, &options.subject).await?;
    for subject in Subjects::of_stream(&options.subject) {
        takes(&stream, &subject)?;
    }
    let info = stream.cached_info();
    let partitions = partitions(&info.config).ok_or_else(|| {
        let reason = "it is not a log of netqoe: its description does not state a number of partitions";
        unusable(&options.name, reason.to_owned())
    })?;
    let identity = LogIdentity { id: identity(info), partitions };
    // The other options say how to make one.
    Ok(OpenStream { identity, differences: Vec::new(), stream })
}

/// The stream of this name. If there is none, the error names the stream that owns the subject: no two streams share one.
pub(super) async fn find(connection: &Connection, name: &str, subject: &str) -> Result<Stream, LogError> {
    if let Some(stream) = connection.insist(&find::name(name), || find::find(connection, name)).await? {
        return Ok(stream);
    }
    Err(LogError::NoStream {
        log: find::name(name),
        servers: connection.servers.clone(),
        subject: subject.to_owned(),
        // Where this can't be told, the rest is true all the same.
        other: connection.jetstream.stream_by_subject(subject).await.ok(),
    })
}

/// Sees to it that a stream takes a subject.
pub(super) fn takes(stream: &Stream, subject: &String) -> Result<(), LogError> {
    let config = &stream.cached_info().config;
    if config.subjects.contains(subject) {
        return Ok(());
    }
    let takes = config.subjects.join(", ");
    let reason = format!("it takes {takes}, not {subject}; name its subject, or another stream");
    Err(unusable(&config.name, reason))
}
