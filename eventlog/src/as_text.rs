//! Records of a log as text, from which a replay computes the same rows.

use std::io::{self, Write};

use netqoe_model::{Event, LogTime, Tick};

use crate::record::stamped_or_as_it_is;

/// Writes records in the order of the log.
pub(crate) struct AsText<'a> {
    out: &'a mut dyn Write,
    /// The log time that a reader of what is written has come to.
    told: LogTime,
    line_count: u64,
}

impl<'a> AsText<'a> {
    /// Nothing is written yet.
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, told: LogTime::default(), line_count: 0 }
    }

    /// Writes the lines of a record that are not blank, each with its log time as `recv_ts_ms`. Where the record has moved the
    /// log's time and none of its lines tells so, as in a record without events, a tick follows that does.
    pub(crate) fn write(&mut self, lines: &[u8], log_time: LogTime) -> io::Result<()> {
        let mut text = Vec::with_capacity(lines.len());
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            text.extend_from_slice(&stamped_or_as_it_is(line, log_time.ms()));
            text.push(b'\n');
            self.line_count += 1;
            // What can't be read moves no reader's time.
            if self.told < log_time && Event::parse(line).is_ok() {
                self.told = log_time;
            }
        }
        if self.told < log_time {
            self.told = log_time;
            text.extend_from_slice(&Tick(log_time).line());
            text.push(b'\n');
        }
        self.out.write_all(&text)
    }

    /// Ends the text. Returns how many lines were written that are no ticks.
    pub(crate) fn end(self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.line_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"event_id":"e","client_id":"c","ts_ms":1,"target":"t","timing_measurements":{}}"#;

    #[test]
    fn every_move_of_the_logs_time_is_told() {
        let mut out = Vec::new();
        let mut text = AsText::new(&mut out);
        let event = format!("{EVENT}\n \n[1]\n");
        for (lines, log_time_ms) in [(event.as_str(), 5), ("", 5), ("", 7), ("", 7), ("[2]\n", 7), ("[3]", 9), ("", 3)]
        {
            text.write(lines.as_bytes(), LogTime::from_ms(log_time_ms)).unwrap();
        }
        assert_eq!(text.end().unwrap(), 4, "ticks are not counted");
        let stamped = EVENT.replace("{}}", r#"{},"recv_ts_ms":5}"#);
        let tick = |ms| format!(r#"{{"recv_ts_ms":{ms},"event_id":"tick"}}"#);
        let expected = [stamped, "[1]".into(), tick(7), "[2]".into(), "[3]".into(), tick(9)];
        assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_line_that_somebody_wrote_like_a_tick_is_none_when_it_is_read_back() {
        let mut out = Vec::new();
        let mut text = AsText::new(&mut out);
        let tick = Tick(LogTime::from_ms(9_000)).line();
        text.write(&[tick.as_slice(), EVENT.as_bytes()].join(&b'\n'), LogTime::from_ms(5)).unwrap();
        assert_eq!(text.end().unwrap(), 2);
        assert_eq!(out.split(|byte| *byte == b'\n').filter_map(Tick::parse).count(), 0);
    }
}
