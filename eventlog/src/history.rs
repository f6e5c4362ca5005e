//! A file of events with the log times that a replay of it gives them, so that a log can take it in as if it had been there.

use std::io::{self, Read};
use std::num::NonZeroU16;

use netqoe_model::{Event, LogTime, Partition, Tick};

use crate::NdjsonReader;

/// Reads a file line by line. The log time is the running maximum of `recv_ts_ms`, or where an event has none, of its `ts_ms`; ticks
/// of an exported log move it, too. A line that can't be read has the log time of what came before it.
pub struct History {
    reader: NdjsonReader,
    partitions: NonZeroU16,
    /// None until the first line that tells.
    log_time: Option<LogTime>,
}

/// A line of history. The line of a tick is left out: it only moved the time of what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedLine {
    /// Its number in the file, from 1.
    pub number: u64,
    /// The file's log time after it; none where no line has told one yet.
    pub log_time: Option<LogTime>,
    /// Where it belongs, and its text; none of a tick.
    pub event: Option<(Partition, Vec<u8>)>,
}

impl History {
    /// Of text, for a log of so many partitions.
    pub fn new(text: impl Read + Send + 'static, partitions: NonZeroU16) -> Self {
        Self { reader: NdjsonReader::new(text), partitions, log_time: None }
    }

    /// The next lines, about 1 MiB of them; blank ones are left out. `None` at the end.
    ///
    /// # Errors
    /// What the text's source reports.
    pub fn next_lines(&mut self) -> io::Result<Option<Vec<DatedLine>>> {
        let Some(chunk) = self.reader.next_chunk()? else { return Ok(None) };
        let numbered = (chunk.position.0..).zip(chunk.lines.split(|byte| *byte == b'\n'));
        let lines = numbered.filter(|(_, line)| !line.trim_ascii().is_empty());
        Ok(Some(lines.map(|(number, line)| self.dated(number, line)).collect()))
    }

    fn dated(&mut self, number: u64, line: &[u8]) -> DatedLine {
        if let Ok(event) = Event::parse(line) {
            self.reach(event.time_in_file());
            let partition = Partition::of(&event.client_id, self.partitions);
            return DatedLine { number, log_time: self.log_time, event: Some((partition, line.to_vec())) };
        }
        if let Some(Tick(time)) = Tick::parse(line) {
            self.reach(time);
            return DatedLine { number, log_time: self.log_time, event: None };
        }
        // Such lines of a replay are counted in its first partition.
        DatedLine { number, log_time: self.log_time, event: Some((Partition(0), line.to_vec())) }
    }

    fn reach(&mut self, time: LogTime) {
        self.log_time = self.log_time.max(Some(time));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn event(client: &str, ts_ms: i64, more: &str) -> String {
        format!(
            r#"{{"event_id":"e","client_id":"{client}","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}}{more}}}"#
        )
    }

    /// Number, log time and whether it is an event, of each line.
    #[track_caller]
    fn check(lines: &[String], expected: &[(u64, Option<i64>, bool)]) {
        let partitions = NonZeroU16::new(4).unwrap();
        let mut history = History::new(Cursor::new(lines.join("\n")), partitions);
        let mut found = Vec::new();
        while let Some(lines) = history.next_lines().unwrap() {
            found.extend(lines.iter().map(|line| (line.number, line.log_time.map(LogTime::ms), line.event.is_some())));
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn log_time_is_that_of_a_replay() {
        let tick = |ms| String::from_utf8(Tick(LogTime::from_ms(ms)).line()).unwrap();
        check(
            &[
                "no event".into(),
                event("a", 100, ""),
                event("a", 90, ""),
                " \r".into(),
                event("a", 100, r#","recv_ts_ms":500"#),
                tick(400),
                tick(900),
                "[1]".into(),
                event("a", 1_000, ""),
            ],
            &[
                (1, None, true),
                (2, Some(100), true),
                (3, Some(100), true),
                (5, Some(500), true),
                (6, Some(500), false),
                (7, Some(900), false),
                (8, Some(900), true),
                (9, Some(1_000), true),
            ],
        );
    }

    #[test]
    fn an_event_belongs_to_its_client_and_the_rest_to_the_first_partition() {
        let partitions = NonZeroU16::new(4).unwrap();
        let clients = (0..).map(|number| format!("client {number}"));
        let partition = |client: String| (Partition::of(&client, partitions), client);
        let (of_client, client) = clients.map(partition).find(|(partition, _)| *partition != Partition(0)).unwrap();
        let text = [event(&client, 5, ""), "{".to_owned()].join("\n");
        let mut history = History::new(Cursor::new(text.clone()), partitions);
        let mut found = Vec::new();
        while let Some(lines) = history.next_lines().unwrap() {
            found.extend(lines.into_iter().map(|line| line.event.unwrap()));
        }
        let expected = [of_client, Partition(0)].into_iter().zip(text.lines());
        assert_eq!(found, expected.map(|(partition, line)| (partition, line.as_bytes().to_vec())).collect::<Vec<_>>());
    }
}
