//! Where the body of an answer over HTTP/1 ends: bytes in, how many of them are the body's out.
//!
//! Decision: D-074.

use super::head::{Head, MAX_HEAD_BYTES};

/// Longest line with the length of a chunk, its extensions included. Real ones are a few bytes.
const MAX_CHUNK_LINE_BYTES: usize = 16 * 1024;

/// How the end of a body is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length, of which this is left.
    Length(u64),
    Chunked(Chunks),
    /// By the end of the connection.
    UntilClose,
}

/// Why the framing can't be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadChunk {
    #[error("the length of a chunk can't be read")]
    Length,
    #[error("a chunk is longer than it says")]
    End,
    #[error("its trailers are longer than {} KiB", MAX_HEAD_BYTES / 1024)]
    Trailers,
}

/// What came of some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// How many of them are the body's.
    pub(crate) body: u64,
    /// Whether it has ended.
    pub(crate) is_end: bool,
}

impl Framing {
    /// Chunks go before a length, as RFC 9112 says, also with HTTP/1.0, as curl takes them.
    pub(crate) fn of(head: &Head) -> Self {
        if matches!(head.status, 204 | 304) {
            Self::Length(0)
        } else if head.is_chunked() {
            Self::Chunked(Chunks::default())
        } else {
            head.content_length().map_or(Self::UntilClose, Self::Length)
        }
    }

    /// Whether there is nothing to read.
    pub(super) fn is_over(&self) -> bool {
        *self == Self::Length(0)
    }

    /// What came of these bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Taken, BadChunk> {
        self.take_each(bytes, &mut |_| {})
    }

    /// The same, with a look at each piece of the body among them.
    pub(super) fn take_each(&mut self, bytes: &[u8], look: &mut impl FnMut(&[u8])) -> Result<Taken, BadChunk> {
        match self {
            Self::Length(left) => {
                let body = (*left).min(bytes.len() as u64);
                *left -= body;
                look(beginning(bytes, body));
                Ok(Taken { body, is_end: *left == 0 })
            }
            Self::Chunked(chunks) => chunks.take(bytes, look),
            Self::UntilClose => {
                look(bytes);
                Ok(Taken { body: bytes.len() as u64, is_end: false })
            }
        }
    }
}

fn beginning(bytes: &[u8], length: u64) -> &[u8] {
    &bytes[..usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()))]
}

/// Follows the chunks of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks {
    at: At,
    line: Vec<u8>,
    trailer_bytes: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    Data(u64),
    /// The end of line behind a chunk.
    End,
    Trailers,
}

impl Chunks {
    fn take(&mut self, mut bytes: &[u8], look: &mut impl FnMut(&[u8])) -> Result<Taken, BadChunk> {
        let mut body = 0;
        while !bytes.is_empty() {
            if let At::Data(left) = &mut self.at {
                let taken = (*left).min(bytes.len() as u64);
                (*left, body) = (*left - taken, body + taken);
                look(beginning(bytes, taken));
                if *left == 0 {
                    self.at = At::End;
                }
                bytes = &bytes[usize::try_from(taken).unwrap_or(bytes.len())..];
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            bytes = &bytes[end.map_or(bytes.len(), |end| end + 1)..];
            self.check_line()?;
            if end.is_some() && self.end_line()? {
                return Ok(Taken { body, is_end: true });
            }
        }
        Ok(Taken { body, is_end: false })
    }

    /// A line is held in memory until its end.
    fn check_line(&self) -> Result<(), BadChunk> {
        match self.at {
            At::Trailers if self.trailer_bytes + self.line.len() > MAX_HEAD_BYTES => Err(BadChunk::Trailers),
            At::End if !b"\r".starts_with(&self.line) => Err(BadChunk::End),
            At::Size if self.line.len() > MAX_CHUNK_LINE_BYTES => Err(BadChunk::Length),
            _ => Ok(()),
        }
    }

    /// Whether that was the last line.
    fn end_line(&mut self) -> Result<bool, BadChunk> {
        let line = std::mem::take(&mut self.line);
        match self.at {
            At::Size => {
                self.at = match size(&line).ok_or(BadChunk::Length)? {
                    0 => At::Trailers,
                    bytes => At::Data(bytes),
                };
            }
            At::End => self.at = At::Size,
            At::Trailers => self.trailer_bytes += line.len() + 1,
            At::Data(_) => {}
        }
        Ok(self.at == At::Trailers && self.trailer_bytes > 0 && line.trim_ascii().is_empty())
    }
}

/// The hexadecimal length that a line begins with; extensions follow it.
fn size(line: &[u8]) -> Option<u64> {
    let line = line.trim_ascii();
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let is_ended = line.get(end).is_none_or(|byte| *byte == b';' || byte.is_ascii_whitespace());
    let digits = std::str::from_utf8(&line[..end]).ok().filter(|_| is_ended)?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunked(bytes: &[u8]) -> Result<Taken, BadChunk> {
        Framing::Chunked(Chunks::default()).take(bytes)
    }

    #[test]
    fn chunks_as_servers_write_them() {
        for text in [
            "5\r\nhello\r\n0\r\n\r\n",
            "5\nhello\n0\n\n",
            "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n",
            "5   \r\nhello\r\n0\r\n\r\n",
            "000000000000000000000005\r\nhello\r\n000\r\n\r\n",
            "2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\ngarbage\r\n folded\r\n\r\nexcess",
        ] {
            assert_eq!(chunked(text.as_bytes()), Ok(Taken { body: 5, is_end: true }), "{text:?}");
        }
        for unfinished in ["5\r\nhello\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\nX: y\r\n"] {
            assert_eq!(chunked(unfinished.as_bytes()), Ok(Taken { body: 5, is_end: false }), "{unfinished:?}");
        }
        for bad in ["zz\r\n", "0x5\r\nhello", "-5\r\nhello", "\r\n", "fffffffffffffffffffff\r\n"] {
            assert_eq!(chunked(bad.as_bytes()), Err(BadChunk::Length), "{bad:?}");
        }
        assert_eq!(chunked(b"5\r\nhello0\r\n\r\n"), Err(BadChunk::End));
    }

    #[test]
    fn lines_and_trailers_are_bounded_in_bytes_and_not_in_number() {
        let trailers = "X: v\r\n".repeat(5000);
        assert_eq!(chunked(format!("0\r\n{trailers}\r\n").as_bytes()), Ok(Taken { body: 0, is_end: true }));
        assert_eq!(chunked(format!("0\r\n{}", "X: v\r\n".repeat(100_000)).as_bytes()), Err(BadChunk::Trailers));
        assert_eq!(chunked(format!("0\r\n{}", "x".repeat(MAX_HEAD_BYTES + 1)).as_bytes()), Err(BadChunk::Trailers));
        assert_eq!(chunked(format!("5;{}", "x".repeat(MAX_CHUNK_LINE_BYTES)).as_bytes()), Err(BadChunk::Length));
    }

    proptest! {
        #[test]
        fn any_bytes_are_followed_the_same_in_pieces(
            bytes in proptest::collection::vec(proptest::sample::select(b"0123af\r\n;x ".to_vec()), 0..100),
            at in 0_usize..100,
        ) {
            let at = at.min(bytes.len());
            let mut framing = Framing::Chunked(Chunks::default());
            let first = framing.take(&bytes[..at]);
            let in_pieces = match first {
                Ok(Taken { body, is_end: false }) => {
                    framing.take(&bytes[at..]).map(|taken| Taken { body: body + taken.body, ..taken })
                }
                other => other,
            };
            prop_assert_eq!(in_pieces, chunked(&bytes));
        }
    }
}
