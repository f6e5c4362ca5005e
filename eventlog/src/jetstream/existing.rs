//! A stream that others have made, for whoever only reads it: it is not made, and nothing of it is changed. What would
//! be made reserves gigabytes, and a name that was mistyped would look like a log without events.

use async_nats::jetstream::stream::Stream;
use netqoe_model::LogIdentity;

use super::connect::Connection;
use super::options::StreamOptions;
use super::stream::{self, OpenStream};
use super::subjects::Subjects;
use crate::LogError;

/// Finds the stream of a log.
pub(super) async fn open(connection: &Connection, options: &StreamOptions) -> Result<OpenStream, LogError> {
    let Some(found) = stream::find(connection, &options.name).await? else {
        return Err(missing(connection, &options.name, &options.subject).await);
    };
    for subject in Subjects::of_stream(&options.subject) {
        takes(&found, &subject)?;
    }
    let info = found.cached_info();
    let partitions = stream::partitions(&info.config).ok_or_else(|| {
        let reason = "it is no log of netqoe: its description does not say a number of partitions";
        LogError::Stream { log: stream::name(&options.name), reason: reason.to_owned() }
    })?;
    let identity = LogIdentity { id: stream::identity(info), partitions };
    // The other options say how to make one.
    Ok(OpenStream { identity, differences: Vec::new(), stream: found })
}

/// Sees to it that a stream takes a subject.
pub(super) fn takes(stream: &Stream, subject: &String) -> Result<(), LogError> {
    let config = &stream.cached_info().config;
    if config.subjects.contains(subject) {
        return Ok(());
    }
    let takes = config.subjects.join(", ");
    let reason = format!("it takes {takes}, not {subject}; name its subject, or another stream");
    Err(LogError::Stream { log: stream::name(&config.name), reason })
}

/// That a stream is not there, and which one has its subject: a subject is never in two.
pub(super) async fn missing(connection: &Connection, name: &str, subject: &str) -> LogError {
    LogError::NoStream {
        log: stream::name(name),
        servers: connection.servers.clone(),
        subject: subject.to_owned(),
        // Where this can't be told, the rest is true all the same.
        other: connection.jetstream.stream_by_subject(subject).await.ok(),
    }
}
