//! The log as text, for a replay elsewhere.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use netqoe_model::{LogTime, Partition, Position};

use super::Shared;
use super::reader::JetStreamReader;
use crate::as_text::AsText;
use crate::{LogError, LogReader, Start};

/// Bytes that are taken at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// How long to wait for what the server sends before looking whether all of it came.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Writes what the stream holds now of these log times.
pub(super) fn export(shared: &Arc<Shared>, times: Range<LogTime>, out: &mut dyn Write) -> Result<u64, LogError> {
    let partitions = (0..shared.source.identity.partitions.get()).map(Partition);
    let source = shared.source.clone();
    let from = shared.thread.wait(async move { source.insist(|| source.first_at(times.start)).await })?;
    let start = |partition| Start { partition, from, processed: Position(0), log_time: None };
    let (mut reader, last) = JetStreamReader::open(shared, &partitions.map(start).collect::<Vec<_>>())?;
    let (arrived, arrivals) = sync_channel(1);
    // One word is enough for everything that arrived before it is heard.
    reader.on_append(Box::new(move || _ = arrived.try_send(())));
    let mut latest = LogTime::default();
    let mut text = AsText::new(out);
    loop {
        // Asked before reading: what was looked at by then lies ready.
        let complete = reader.scanned() >= last;
        let chunks = reader.read(CHUNK_BYTES)?;
        if chunks.is_empty() && complete {
            return Ok(text.end()?);
        }
        if chunks.is_empty() {
            // What counts is what lies ready then.
            _ = arrivals.recv_timeout(LOOK_EVERY);
        }
        for chunk in chunks.iter().filter(|chunk| chunk.position <= last) {
            latest = latest.max(chunk.log_time.unwrap_or(latest));
            if latest >= times.end {
                return Ok(text.end()?);
            }
            // Reading may have begun a little before.
            if latest >= times.start {
                text.write(&chunk.lines, latest)?;
            }
        }
    }
}
