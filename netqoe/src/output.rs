//! Standard output and standard error. Where either is full or nobody reads it any more, that is an error like others, and never a panic;
//! and what others have written can't command a terminal.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use netqoe_model::escaped;

use crate::exit;

/// Longest part of a line that waits for its end before a terminal sees it.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// Standard output is one for the whole process.
static HAS_GONE: AtomicBool = AtomicBool::new(false);

/// Standard output takes nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Nobody reads it: whoever did has seen enough.
    #[error("nobody reads standard output any more")]
    Gone,
    /// The disk is full, or something else is wrong.
    #[error("can't write to standard output: {0}; make room, or write elsewhere")]
    Failed(io::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match noted(error) {
            error if error.kind() == ErrorKind::BrokenPipe => Self::Gone,
            error => Self::Failed(error),
        }
    }
}

impl OutputError {
    /// Says so where there is somebody to tell, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !has_gone() {
            complain_of(self);
        }
        ExitCode::from(exit::FAILED)
    }
}

/// One line, JSON as a rule, of what may hold names that others have given.
pub(crate) fn line(line: impl Display) -> Result<(), OutputError> {
    text(format_args!("{}\n", escaped(&line.to_string())))
}

/// What came of printing by another's hand.
pub(crate) fn printed(printed: io::Result<()>) -> Result<(), OutputError> {
    Ok(printed.and_then(|()| io::stdout().lock().flush())?)
}

/// A line of our own, as of a table.
pub(crate) fn own_line(line: impl Display) -> Result<(), OutputError> {
    text(format_args!("{line}\n"))
}

/// Text of our own, or in which the others' is escaped already.
pub(crate) fn text(text: impl Display) -> Result<(), OutputError> {
    let mut output = io::stdout().lock();
    // In one piece, so that lines of several threads never mix.
    output.write_all(text.to_string().as_bytes())?;
    Ok(output.flush()?)
}

/// Bytes as they are, for other programs; escaped, where standard output is a terminal.
pub(crate) fn bytes() -> Bytes {
    Bytes { is_terminal: io::stdout().is_terminal(), waiting: Vec::new() }
}

/// One original, byte by byte; where standard output is a terminal, escaped, and on a line of its own.
pub(crate) fn original(original: &[u8]) -> anyhow::Result<()> {
    let mut output = bytes();
    Ok(output.write_all(original).and_then(|()| output.flush()).map_err(OutputError::from)?)
}

/// Says something on standard error. Where that takes nothing, there is nobody else to tell.
pub(crate) fn complain(what: impl Display) {
    let line = format!("{}\n", escaped(&what.to_string()));
    io::stderr().lock().write_all(line.as_bytes()).unwrap_or_default();
}

/// A command's line of complaint.
pub(crate) fn complain_of(error: impl Display) {
    complain(format_args!("netqoe: {error}"));
}

/// Whether nobody reads standard output any more: what a command fails of then is a consequence, and there is nobody to tell.
pub(crate) fn has_gone() -> bool {
    HAS_GONE.load(Ordering::Relaxed)
}

/// See [`bytes()`].
pub(crate) struct Bytes {
    is_terminal: bool,
    /// The beginning of a line whose end has not come.
    waiting: Vec<u8>,
}

impl Bytes {
    fn show(&mut self, end: &str) -> io::Result<()> {
        let line = std::mem::take(&mut self.waiting);
        let shown = escaped(&String::from_utf8_lossy(&line)).into_owned() + end;
        io::stdout().lock().write_all(shown.as_bytes()).map_err(noted)
    }
}

impl Write for Bytes {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if !self.is_terminal {
            return io::stdout().lock().write(buffer).map_err(noted);
        }
        for piece in buffer.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(rest) => {
                    self.waiting.extend_from_slice(rest);
                    self.show("\n")?;
                }
                None => self.waiting.extend_from_slice(piece),
            }
            if self.waiting.len() > MAX_WAITING_BYTES {
                self.show("")?;
            }
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.show("\n")?;
        }
        io::stdout().lock().flush().map_err(noted)
    }
}

/// Notes that the reader has gone. The errors of whoever writes through [`Bytes`] come in many layers.
fn noted(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::BrokenPipe {
        HAS_GONE.store(true, Ordering::Relaxed);
    }
    error
}
