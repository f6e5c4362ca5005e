//! The lines of a history in their new order.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::iter::Peekable;
use std::vec::IntoIter;

use netqoe_eventlog::{NdjsonReader, stamped_or_as_it_is};
use netqoe_model::{Chunk, Position, Tick};

use super::latecomers::{Gap, Latecomers, Move};
use super::lines_of;

/// Bytes of moved lines that are handed out together: as many as a reader of a file gives at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Reads a history again. Where an event has been moved away, a tick stands for it, which moves the log as far as the event did; so
/// all lines keep their numbers. Events that are moved share the number of the line that they are put before.
pub(crate) struct InTime {
    reader: NdjsonReader,
    /// What was read and not handed out yet, and the number of its first line.
    rest: Vec<u8>,
    line: u64,
    moves: Peekable<IntoIter<Move>>,
    gaps: Peekable<IntoIter<Gap>>,
    moved: File,
}

impl InTime {
    /// `reader` begins where the history did when it was read first.
    pub(crate) fn new(reader: NdjsonReader, latecomers: Latecomers) -> Self {
        let Latecomers { moves, gaps, lines } = latecomers;
        Self {
            reader,
            rest: Vec::new(),
            line: 1,
            moves: moves.into_iter().peekable(),
            gaps: gaps.into_iter().peekable(),
            moved: lines,
        }
    }

    /// The next lines, about 1 MiB at most, as [`NdjsonReader::next_chunk`] gives them; `None` at the end.
    ///
    /// # Errors
    /// What the history and the temporary file report; where the history is not what it was when it was read before.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        if self.rest.is_empty() {
            let Some(chunk) = self.reader.next_chunk()? else { return self.end() };
            (self.rest, self.line) = (chunk.lines, chunk.position.0);
        }
        let position = Position(self.line);
        let moved = self.moved_here()?;
        let came_late = !moved.is_empty();
        let lines = if came_late { moved } else { self.take_until_a_move() };
        Ok(Some(Chunk { partition: None, position, log_time: None, lines, set_aside: None, came_late, trace: None }))
    }

    /// The end, where all that was found before is handed out.
    fn end(&mut self) -> io::Result<Option<Chunk>> {
        if self.moves.peek().is_some() || self.gaps.peek().is_some() {
            return Err(io::Error::other(
                "it has changed since it was read for late events; replay a copy that stays as it is",
            ));
        }
        Ok(None)
    }

    /// Lines that belong before the next one of the history.
    fn moved_here(&mut self) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        while lines.len() < CHUNK_BYTES {
            let Some(next) = self.moves.next_if(|next| next.before == self.line) else { break };
            let mut line = vec![0; next.bytes];
            self.moved.seek(SeekFrom::Start(next.offset))?;
            self.moved.read_exact(&mut line)?;
            lines.extend(stamped_or_as_it_is(&line, next.log_time.ms()));
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// The lines of the rest up to the next one that something is put before.
    fn take_until_a_move(&mut self) -> Vec<u8> {
        let end = self.moves.peek().map_or(u64::MAX, |next| next.before);
        let (mut lines, mut taken_bytes) = (Vec::with_capacity(self.rest.len()), 0);
        for line in lines_of(&self.rest) {
            if self.line == end {
                break;
            }
            match self.gaps.next_if(|gap| gap.line == self.line) {
                Some(gap) => {
                    lines.extend(Tick(gap.log_time).line());
                    lines.push(b'\n');
                }
                None => lines.extend_from_slice(line),
            }
            taken_bytes += line.len();
            self.line += 1;
        }
        self.rest.drain(..taken_bytes);
        lines
    }
}
