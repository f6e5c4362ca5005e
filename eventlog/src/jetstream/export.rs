//! The log as text, for a replay elsewhere.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use netqoe_model::{LogTime, Partition, Position};

use super::Shared;
use super::connect::with_sources;
use super::continuity::ms;
use super::reader::JetStreamReader;
use crate::record::write_lines;
use crate::{LogError, LogReader, Start};

/// Bytes that are taken at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// How long to wait for what the server sends before looking whether all of it came.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Writes what the stream holds now of these log times.
pub(super) fn export(shared: &Arc<Shared>, times: Range<LogTime>, out: &mut dyn Write) -> Result<u64, LogError> {
    let partitions = (0..shared.source.identity.partitions.get()).map(Partition);
    let from = first_at(shared, times.start)?;
    let start = |partition| Start { partition, from, processed: Position(0), log_time: None };
    let (mut reader, last) = JetStreamReader::open(shared, &partitions.map(start).collect::<Vec<_>>())?;
    let (arrived, arrivals) = sync_channel(1);
    // One word is enough for everything that arrived before it is heard.
    reader.on_append(Box::new(move || _ = arrived.try_send(())));
    let mut latest = LogTime::default();
    let mut line_count = 0;
    loop {
        // Asked before reading: what was looked at by then lies ready.
        let complete = reader.scanned() >= last;
        let chunks = reader.read(CHUNK_BYTES)?;
        if chunks.is_empty() && complete {
            out.flush()?;
            return Ok(line_count);
        }
        if chunks.is_empty() {
            // What counts is what lies ready then.
            _ = arrivals.recv_timeout(LOOK_EVERY);
        }
        for chunk in chunks.iter().filter(|chunk| chunk.position <= last) {
            latest = latest.max(chunk.log_time.unwrap_or(latest));
            if latest >= times.end {
                out.flush()?;
                return Ok(line_count);
            }
            line_count += write_lines(&chunk.lines, latest.ms(), out)?;
        }
    }
}

/// The first message that was stored at this time or later; the stream's first where that is all of them.
fn first_at(shared: &Arc<Shared>, time: LogTime) -> Result<Position, LogError> {
    let (stream, name) = (shared.source.stream.clone(), shared.source.name.clone());
    let unreadable = move |error: &(dyn std::error::Error + 'static)| LogError::Stream {
        log: name.clone(),
        reason: with_sources(error),
    };
    shared.thread.wait(async move {
        let state = stream.get_info().await.map_err(|error| unreadable(&error))?.state;
        let oldest = state.first_sequence.max(1);
        let (mut first, mut end) = (oldest, state.last_sequence + 1);
        // Store times do not fall, so half of what is left is out of the question each time.
        while first < end {
            let middle = first + (end - first) / 2;
            let stored = match stream.get_raw_message(middle).await {
                Ok(message) => Some(ms(message.time.unix_timestamp_nanos())),
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => None,
                Err(error) => return Err(unreadable(&error)),
            };
            // One that was deleted tells nothing; to begin before it costs little.
            match stored {
                Some(stored) if stored < time => first = middle + 1,
                _ => end = middle,
            }
        }
        // Wherever the stream begins, which may move on meanwhile.
        Ok(Position(if first == oldest { 0 } else { first }))
    })
}
