//! Finds or creates a stream. If that fails for the moment, it is tried again: another process may be creating it, or
//! its servers may be electing a leader.

use std::error::Error;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind, RequestError, RequestErrorKind};
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{self, ErrorCode};

use super::breaks::Break;
use super::connect::{Connection, with_sources};
use crate::LogError;

/// What errors call a stream.
pub(super) fn name(stream: &str) -> String {
    format!("stream {stream}")
}

/// The stream of this name, if there is one.
pub(super) async fn find(connection: &Connection, name: &str) -> Result<Option<Stream>, Break> {
    let error = match connection.jetstream.get_stream(name).await {
        Ok(stream) => return wholly_made(stream).map(Some),
        Err(error) => error,
    };
    match error.kind() {
        GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
        GetStreamErrorKind::JetStream(error) => Err(refused(connection, name, &error)),
        // What the request failed of is its source.
        _ => match error.source().and_then(|source| source.downcast_ref::<RequestError>()) {
            Some(request) => Err(request_error(connection, name, request)),
            None => Err(unusable(name, with_sources(&error)).into()),
        },
    }
}

/// While a process makes a stream, the server shows it to others as made at the beginning of its calendar.
fn wholly_made(stream: Stream) -> Result<Stream, Break> {
    let is_made = stream.cached_info().created.unix_timestamp() > 0;
    if is_made { Ok(stream) } else { Err(Break::ForNow("it is not wholly made".to_owned())) }
}

/// The stream of this name, or one that is made so. `advice` is for a server without room for it.
pub(super) async fn find_or_make(
    connection: &Connection,
    config: &Config,
    advice: &'static str,
) -> Result<Stream, Break> {
    if let Some(stream) = find(connection, &config.name).await? {
        return Ok(stream);
    }
    let error = match connection.jetstream.create_stream(config.clone()).await {
        Ok(stream) => return wholly_made(stream),
        Err(error) => error,
    };
    Err(match error.kind() {
        // Another process may have begun to make it a moment ago, perhaps otherwise than we would have.
        CreateStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NAME_EXIST => {
            Break::ForNow(error.to_string())
        }
        CreateStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP => {
            overlap(connection, config, &error).await
        }
        CreateStreamErrorKind::JetStream(error) if has_no_room(&error) => Break::ForEver(LogError::NoRoom {
            log: name(&config.name),
            bytes: config.max_bytes.unsigned_abs(),
            reason: error.to_string(),
            advice,
        }),
        CreateStreamErrorKind::JetStream(error) => refused(connection, &config.name, &error),
        CreateStreamErrorKind::TimedOut => Break::ForNow(with_sources(&error)),
        _ => unusable(&config.name, with_sources(&error)).into(),
    })
}

/// What it means that a stream has our subjects: it is another one, or ours, that was made a moment ago.
async fn overlap(connection: &Connection, config: &Config, error: &jetstream::Error) -> Break {
    for subject in &config.subjects {
        match connection.jetstream.stream_by_subject(subject).await {
            Ok(other) if other != config.name => {
                let reason = format!("its subject {subject} goes to stream {other}; name that one, or another subject");
                return unusable(&config.name, reason).into();
            }
            _ => {}
        }
    }
    Break::ForNow(error.to_string())
}

/// Whether a server answers so that has less room than a stream sets aside.
fn has_no_room(error: &jetstream::Error) -> bool {
    [ErrorCode::STORAGE_RESOURCES_EXCEEDED, ErrorCode::MEMORY_RESOURCES_EXCEEDED, ErrorCode::INSUFFICIENT_RESOURCES]
        .contains(&error.error_code())
}

pub(super) fn unusable(stream: &str, reason: String) -> LogError {
    LogError::Stream { log: name(stream), reason }
}

/// What JetStream's refusal means.
pub(super) fn refused(connection: &Connection, stream: &str, error: &jetstream::Error) -> Break {
    match error.error_code() {
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            LogError::NoJetStream { servers: connection.servers.clone() }.into()
        }
        ErrorCode::CLUSTER_NOT_AVAILABLE | ErrorCode::CLUSTER_NOT_LEADER => Break::ForNow(error.to_string()),
        _ => unusable(stream, error.to_string()).into(),
    }
}

/// What it means that JetStream did not answer.
pub(super) fn request_error(connection: &Connection, stream: &str, error: &RequestError) -> Break {
    match error.kind() {
        RequestErrorKind::NoResponders => LogError::NoJetStream { servers: connection.servers.clone() }.into(),
        RequestErrorKind::TimedOut => Break::ForNow(with_sources(error)),
        _ => unusable(stream, with_sources(error)).into(),
    }
}
