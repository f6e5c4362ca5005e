//! A history in which events that came after their windows were closed stand where they were measured.
//!
//! Two readings find them and their places ([`Latecomers`]), a third one hands out lines in their new order ([`InTime`]). Whatever
//! follows from that order is computed as ever: rows, what is usual, diagnoses and incidents are what they would be had the
//! events come in time.
//!
//! Decision: D-107.

mod finding;
mod latecomers;
mod order;
mod placing;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use netqoe_eventlog::NdjsonReader;
use netqoe_model::{Event, LogTime, Tick};

pub use latecomers::Latecomers;
pub(crate) use order::InTime;

/// The lines of a chunk, each with its end.
fn lines_of(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    chunk.split_inclusive(|byte| *byte == b'\n')
}

/// Hands out the lines of a history that move its log, each with its number, the time that it moves the log to, and the event
/// that it is; none for a tick. The time is that of the dataflow (`netqoe_dataflow::Decoder`).
fn each_timed(
    input: impl Read + Send + 'static,
    mut take: impl FnMut(u64, &[u8], LogTime, Option<&Event<'_>>) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = NdjsonReader::new(input);
    let mut log_time = LogTime::default();
    while let Some(chunk) = reader.next_chunk()? {
        for (number, line) in (chunk.position.0..).zip(lines_of(&chunk.lines)) {
            let line = line.trim_ascii_end();
            if let Ok(event) = Event::parse(line) {
                log_time = log_time.max(event.time_in_file());
                take(number, line, log_time, Some(&event))?;
            } else if let Some(Tick(time)) = Tick::parse(line) {
                log_time = log_time.max(time);
                take(number, line, log_time, None)?;
            }
        }
    }
    Ok(())
}
