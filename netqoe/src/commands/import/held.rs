//! What the log holds already of a history: an import that broke off goes on after it.

use std::io::{self, Write};
use std::path::Path;

use netqoe_eventlog::{LogError, SqliteLog, stamped_or_as_it_is};
use netqoe_model::{Fingerprint, LogTime, Tick};

/// Some lines with their log times, in any order: within one log time, a log keeps the order within each partition only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) count: u64,
    /// Of their fingerprints.
    sum: u128,
}

impl Lines {
    /// Those of the log in this file from one time to another, both inclusive.
    pub(super) fn of_log(data_file: &Path, from: LogTime, to: LogTime) -> Result<Self, LogError> {
        let mut text = Text::default();
        SqliteLog::export_of(data_file, &(from..LogTime::from_ms(to.ms().saturating_add(1))), &mut text)?;
        Ok(text.lines)
    }

    /// Adds a line of a history, as the log's export would write it.
    pub(super) fn add(&mut self, line: &[u8], log_time: LogTime) {
        self.add_exported(&stamped_or_as_it_is(line, log_time.ms()));
    }

    fn add_exported(&mut self, line: &[u8]) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(Fingerprint::of(&String::from_utf8_lossy(line)).0);
    }
}

/// Takes in an exported log, of which only lines are kept whose end has not come.
#[derive(Default)]
struct Text {
    lines: Lines,
    waiting: Vec<u8>,
}

impl Write for Text {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        for piece in buffer.split_inclusive(|byte| *byte == b'\n') {
            self.waiting.extend_from_slice(piece);
            if let Some(line) = self.waiting.strip_suffix(b"\n") {
                if Tick::parse(line).is_none() {
                    self.lines.add_exported(line);
                }
                self.waiting.clear();
            }
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_lines_are_the_same_in_any_order_and_without_ticks() {
        let mut text = Text::default();
        let tick = String::from_utf8(Tick(LogTime::from_ms(8)).line()).unwrap();
        write!(text, "{{\"b\":2,\"recv_ts_ms\":7}}\n{tick}\n{{\"a\"").unwrap();
        writeln!(text, ":1,\"recv_ts_ms\":7}}").unwrap();
        let lines = |written: &[(&str, i64)]| {
            let mut lines = Lines::default();
            written.iter().for_each(|(line, ms)| lines.add(line.as_bytes(), LogTime::from_ms(*ms)));
            lines
        };
        assert_eq!(text.lines, lines(&[(r#"{"a":1}"#, 7), (r#"{"b":2}"#, 7)]));
        assert_ne!(text.lines, lines(&[(r#"{"a":1}"#, 7), (r#"{"b":2}"#, 8)]));
        assert_ne!(text.lines, lines(&[(r#"{"a":1}"#, 7), (r#"{"b":3}"#, 7)]));
        assert_ne!(text.lines, lines(&[(r#"{"a":1}"#, 7)]));
    }
}
