//! A file of newline-delimited JSON, or standard input, as a log without partitions.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};
use netqoe_model::{Chunk, Position};

/// Bytes that are read at a time: large enough that reading costs little, small enough that workers share a file evenly.
const CHUNK_BYTES: usize = 1 << 20;
/// Longest line that is kept whole, so that a file without line ends can't exhaust the memory. No event comes near.
const MAX_LINE_BYTES: usize = 16 << 20;

/// Reads newline-delimited JSON in chunks of whole lines.
///
/// A line of more than 16 MiB is cut there. The rest is usually not JSON, and is then counted as
/// unreadable; the lines after it keep their numbers.
pub struct NdjsonReader {
    input: Box<dyn Read + Send>,
    chunk_bytes: usize,
    max_line_bytes: usize,
    /// The beginning of a line whose end is not read yet.
    partial: Vec<u8>,
    /// The number of that line, from 1.
    line: u64,
}

impl NdjsonReader {
    /// Reads `input` from where it stands, calling that line 1.
    pub fn new(input: impl Read + Send + 'static) -> Self {
        Self::with_sizes(input, CHUNK_BYTES, MAX_LINE_BYTES)
    }

    /// The longest line is at least a chunk.
    fn with_sizes(input: impl Read + Send + 'static, chunk_bytes: usize, max_line_bytes: usize) -> Self {
        Self { input: Box::new(input), chunk_bytes, max_line_bytes, partial: Vec::new(), line: 1 }
    }

    /// The next lines, about 1 MiB, with the number of the first one; `None` at the end. The input's very last line
    /// may lack its end. Waits until there is that much or the input ends.
    ///
    /// # Errors
    /// What the input reports.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        while self.partial.len() < self.max_line_bytes {
            let known_bytes = self.partial.len();
            let wanted_bytes = self.chunk_bytes.min(self.max_line_bytes - known_bytes);
            let read_bytes = read_up_to(&mut self.input, wanted_bytes, &mut self.partial)?;
            if let Some(line_end) = memrchr(b'\n', &self.partial[known_bytes..]) {
                return Ok(Some(self.hand_out(known_bytes + line_end + 1)));
            }
            if read_bytes == 0 {
                let rest_bytes = self.partial.len();
                return Ok((rest_bytes > 0).then(|| self.hand_out(rest_bytes)));
            }
        }
        self.cut_line().map(Some)
    }

    /// The first `bytes` of `partial`, which end with a line, as a chunk.
    fn hand_out(&mut self, bytes: usize) -> Chunk {
        let next = self.partial.split_off(bytes);
        let lines = std::mem::replace(&mut self.partial, next);
        let position = Position(self.line);
        self.line += memchr_iter(b'\n', &lines).count() as u64;
        Chunk { partition: None, position, log_time: None, lines, set_aside: None, came_late: false, trace: None }
    }

    /// Leaves out what goes beyond the longest line; whole lines that were read after it follow in the same chunk.
    fn cut_line(&mut self) -> io::Result<Chunk> {
        let cut_bytes = self.partial.len();
        let mut beyond = Vec::new();
        loop {
            beyond.clear();
            let read_bytes = read_up_to(&mut self.input, self.chunk_bytes, &mut beyond)?;
            if let (Some(line_end), Some(last_line_end)) = (memchr(b'\n', &beyond), memrchr(b'\n', &beyond)) {
                self.partial.extend_from_slice(&beyond[line_end..]);
                return Ok(self.hand_out(cut_bytes + last_line_end - line_end + 1));
            }
            if read_bytes == 0 {
                return Ok(self.hand_out(cut_bytes));
            }
        }
    }
}

/// Reads until there are `wanted_bytes` more or the input ends; how many came.
fn read_up_to(input: &mut dyn Read, wanted_bytes: usize, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.reserve(wanted_bytes);
    input.take(wanted_bytes as u64).read_to_end(buffer)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn chunks(input: Vec<u8>, chunk_bytes: usize, max_line_bytes: usize) -> Vec<Chunk> {
        let mut reader = NdjsonReader::with_sizes(Cursor::new(input), chunk_bytes, max_line_bytes);
        std::iter::from_fn(|| reader.next_chunk().unwrap()).collect()
    }

    /// Every line of `input` with its number, cut where it is too long.
    fn naive(input: &[u8], max_line_bytes: usize) -> Vec<(u64, Vec<u8>)> {
        let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        (1..).zip(lines.into_iter().map(|line| line[..line.len().min(max_line_bytes)].to_vec())).collect()
    }

    fn numbered(chunks: &[Chunk]) -> Vec<(u64, Vec<u8>)> {
        let of_chunk = |chunk: &Chunk| {
            let first = chunk.position.0;
            naive(&chunk.lines, usize::MAX).into_iter().map(move |(number, line)| (first + number - 1, line))
        };
        chunks.iter().flat_map(of_chunk).collect()
    }

    proptest! {
        #[test]
        fn chunks_hold_the_lines_of_a_naive_split(
            input in proptest::collection::vec(prop_oneof![3 => Just(b'a'), 1 => Just(b'\n')], 0..200),
            chunk_bytes in 1..20_usize,
            more_bytes in 0..30_usize,
        ) {
            let max_line_bytes = chunk_bytes + more_bytes;
            let chunks = chunks(input.clone(), chunk_bytes, max_line_bytes);
            prop_assert_eq!(numbered(&chunks), naive(&input, max_line_bytes));
            for chunk in &chunks {
                prop_assert!(!chunk.lines.is_empty());
                prop_assert!(chunk.lines.len() <= max_line_bytes + chunk_bytes);
            }
            let all_end = chunks.iter().rev().skip(1).all(|chunk| chunk.lines.ends_with(b"\n"));
            prop_assert!(all_end, "only the last chunk may lack its line end");
        }
    }

    #[test]
    fn keeps_every_byte_of_lines_of_usual_length() {
        let input = b"{\"a\":1}\r\n\n{\"b\":2}\n{\"c\":3}".to_vec();
        for chunk_bytes in 1..40 {
            let joined = chunks(input.clone(), chunk_bytes, 100).into_iter().flat_map(|chunk| chunk.lines);
            assert_eq!(joined.collect::<Vec<u8>>(), input);
        }
    }

    #[test]
    fn a_file_without_line_ends_stays_within_the_bound() {
        let endless = io::repeat(b'x').take(100 << 20);
        let mut reader = NdjsonReader::new(endless.chain(Cursor::new(b"\n{}\n")));
        let chunk = reader.next_chunk().unwrap().unwrap();
        assert_eq!((chunk.position, chunk.lines.len()), (Position(1), MAX_LINE_BYTES + b"\n{}\n".len()));
        assert!(chunk.lines.capacity() < 3 * MAX_LINE_BYTES);
        assert_eq!(reader.next_chunk().unwrap(), None);
    }

    #[test]
    fn an_unreadable_input_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut reader = NdjsonReader::new(Cursor::new(b"{}\n{").chain(Broken));
        assert_eq!(reader.next_chunk().unwrap_err().to_string(), "broken");
    }
}
