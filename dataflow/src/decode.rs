//! From lines of the log to events, partition by partition.

use std::num::NonZeroU16;

use memchr::memchr;
use netqoe_model::{Chunk, DeadLetter, Event, LogTime, MAX_ATTEMPTS, Partition, Position, SetAside, Tick};

use crate::event_batch::EventBatch;
use crate::feed::Batch;

/// Reads chunks. Keeps nothing between them, so that any worker can read any chunk.
#[derive(Clone, Debug)]
pub struct Decoder {
    partitions: NonZeroU16,
    max_future_ms: i64,
}

impl Decoder {
    /// For a log with this number of partitions, whose events may be up to `max_future_ms` ahead of it.
    pub fn new(partitions: NonZeroU16, max_future_ms: i64) -> Self {
        Self { partitions, max_future_ms }
    }

    /// The events of a batch. A chunk of a partition gives one [`EventBatch`]; one without gives a batch to every
    /// partition, empty or not, since all of them share the log's time then.
    pub fn decode(&self, batch: &Batch) -> Vec<EventBatch> {
        let flushes = batch.flush.iter().map(|&partition| EventBatch::flush(partition, batch.ends));
        let marks = batch.marks.iter().copied().map(EventBatch::mark);
        let chunks = batch.chunks.iter().flat_map(|chunk| self.decode_chunk(chunk));
        let mut decoded: Vec<_> = chunks.chain(flushes).chain(marks).collect();
        decoded.iter_mut().for_each(|events| events.more_follows = batch.more_follows);
        decoded
    }

    fn decode_chunk(&self, chunk: &Chunk) -> Vec<EventBatch> {
        let mut batches: Vec<_> = match chunk.partition {
            Some(partition) => vec![EventBatch::new(partition, chunk.position)],
            None => (0..self.partitions.get()).map(|n| EventBatch::new(Partition(n), chunk.position)).collect(),
        };
        let mut log_time = chunk.log_time.unwrap_or_default();
        for (index, line) in Lines(&chunk.lines).enumerate().filter(|(_, line)| !is_blank(line)) {
            if let Some(why) = chunk.set_aside {
                batches[0].read += 1;
                batches[0].unreadable.push(dead_letter(chunk, index, line, reason(why)));
                continue;
            }
            match Event::parse(line) {
                Ok(event) => {
                    #[cfg(feature = "planted-faults")]
                    crate::planted::swallow(&event.event_id);
                    if chunk.log_time.is_none() {
                        log_time = log_time.max(event.time_in_file());
                    }
                    let batch = &mut batches[self.route(chunk, &event)];
                    batch.read += 1;
                    batch.push(&event, log_time);
                    // In a chunk without a log time, an earlier chunk may still have moved the log further.
                    if event.ts.ms() > log_time.ms() + self.max_future_ms {
                        batch.suspect(dead_letter(chunk, index, line, String::new()));
                    }
                }
                Err(invalid) => {
                    // A record of a live log has its own time. There, a line like a tick is one that can't be read.
                    if chunk.log_time.is_none()
                        && let Some(Tick(time)) = Tick::parse(line)
                    {
                        log_time = log_time.max(time);
                        continue;
                    }
                    batches[0].read += 1;
                    batches[0].unreadable.push(dead_letter(chunk, index, line, invalid.to_string()));
                }
            }
        }
        for batch in &mut batches {
            batch.log_time = log_time;
            batch.came_late = chunk.came_late;
        }
        batches
    }

    /// Which of the chunk's batches takes the event.
    fn route(&self, chunk: &Chunk, event: &Event<'_>) -> usize {
        if chunk.partition.is_some() { 0 } else { usize::from(Partition::of(&event.client_id, self.partitions).0) }
    }
}

/// Why the lines of a record that was set aside are dead letters.
fn reason(why: SetAside) -> String {
    match why {
        SetAside::FailedTooOften => format!("processing this record failed {MAX_ATTEMPTS} times"),
        SetAside::Damaged => "this record of the log is damaged: its checksum does not match".to_owned(),
    }
}

/// A line as it came, with its place: a line of a file is its own position, others are lines of a record.
fn dead_letter(chunk: &Chunk, index: usize, line: &[u8], reason: String) -> DeadLetter {
    let (position, line_of_record) = match chunk.partition {
        Some(_) => (chunk.position, index as u32),
        None => (Position(chunk.position.0 + index as u64), 0),
    };
    DeadLetter {
        partition: chunk.partition.unwrap_or_default(),
        position,
        line: line_of_record,
        log_time: LogTime::default(),
        reason,
        original: line.to_vec(),
    }
}

/// Splits at line ends; what follows the last one is a line too, unless it is empty.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.0) {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        Some(line)
    }
}

/// Whether a line holds nothing but white space; such lines are not counted as read.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder() -> Decoder {
        Decoder::new(NonZeroU16::new(4).unwrap(), 300_000)
    }

    fn event(id: &str, client: &str, ts_ms: i64, more: &str) -> String {
        format!(
            r#"{{"event_id":"{id}","client_id":"{client}","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}}{more}}}"#
        )
    }

    fn chunk(partition: Option<u16>, log_time: Option<i64>, lines: &[String]) -> Batch {
        let chunk = Chunk {
            partition: partition.map(Partition),
            position: Position(7),
            log_time: log_time.map(LogTime::from_ms),
            lines: lines.join("\n").into_bytes(),
            set_aside: None,
            came_late: false,
            trace: None,
        };
        Batch { chunks: vec![chunk], ..Batch::default() }
    }

    #[test]
    fn a_file_moves_its_time_by_readable_lines_only() {
        let lines = [
            event("a", "c", 100, r#","recv_ts_ms":500"#),
            r#"{"recv_ts_ms":900}"#.into(),
            event("b", "c", 400, ""),
            event("d", "c", 600, ""),
        ];
        let batches = decoder().decode(&chunk(None, None, &lines));
        assert_eq!(batches.len(), 4, "every partition hears of the log's time");
        assert!(batches.iter().all(|batch| batch.log_time.ms() == 600));
        let owner = &batches[usize::from(Partition::of("c", NonZeroU16::new(4).unwrap()).0)];
        let times: Vec<_> = (0..owner.len()).map(|index| owner.get(index).log_time.ms()).collect();
        assert_eq!(times, [500, 500, 600]);
        let letter = &batches[0].unreadable[0];
        assert_eq!((letter.position, letter.line, letter.original.as_slice()), (Position(8), 0, lines[1].as_bytes()));
    }

    #[test]
    fn a_tick_in_a_file_moves_its_time_and_is_not_read() {
        let tick = String::from_utf8(Tick(LogTime::from_ms(900)).line()).unwrap();
        let lines = [tick, event("a", "c", 100, r#","recv_ts_ms":500"#)];
        let batches = decoder().decode(&chunk(None, None, &lines));
        assert!(batches.iter().all(|batch| batch.log_time.ms() == 900));
        assert_eq!(batches.iter().map(|batch| batch.read).sum::<u64>(), 1);
        let owner = batches.iter().find(|batch| batch.len() == 1).unwrap();
        assert_eq!(owner.get(0).log_time.ms(), 900, "log times do not fall");

        let batches = decoder().decode(&chunk(Some(3), Some(250), &lines[..1]));
        assert_eq!((batches[0].read, batches[0].unreadable.len(), batches[0].log_time.ms()), (1, 1, 250));
    }

    #[test]
    fn a_record_has_one_time_and_numbers_its_lines() {
        let lines = [event("a", "c", 100, r#","recv_ts_ms":500"#), "  \r".into(), "[1,2]".into()];
        let batches = decoder().decode(&chunk(Some(3), Some(250), &lines));
        let [batch] = batches.as_slice() else { panic!("one batch") };
        assert_eq!((batch.partition, batch.read, batch.len(), batch.log_time.ms()), (Partition(3), 2, 1, 250));
        assert_eq!((batch.unreadable[0].position, batch.unreadable[0].line), (Position(7), 2));
        let event = batch.get(0);
        assert_eq!((event.pair, event.client_bytes, event.network_context), ("c\0t", 1, ""));
    }

    #[test]
    fn a_record_that_is_set_aside_is_kept_and_not_parsed() {
        let lines = [event("a", "c", 100, ""), " ".into(), "[1,2]".into()];
        let mut batch = chunk(Some(3), Some(250), &lines);
        batch.chunks[0].set_aside = Some(SetAside::FailedTooOften);
        let batches = decoder().decode(&batch);
        assert_eq!((batches[0].read, batches[0].len(), batches[0].log_time.ms()), (2, 0, 250));
        let letters: Vec<_> = batches[0].unreadable.iter().map(|letter| (letter.line, &*letter.reason)).collect();
        assert_eq!(
            letters,
            [(0, "processing this record failed 3 times"), (2, "processing this record failed 3 times")]
        );
        assert_eq!(batches[0].unreadable[0].original, lines[0].as_bytes());
    }

    #[test]
    fn an_event_ahead_of_its_chunk_keeps_its_line() {
        let lines =
            [event("a", "c", 400_000, r#","recv_ts_ms":1"#), event("b", "c", 5, r#","network_context":{"isp":"x"}"#)];
        let mut batches = decoder().decode(&chunk(Some(0), Some(1), &lines));
        assert_eq!(batches[0].take_suspect(0).unwrap().original, lines[0].as_bytes());
        assert_eq!(batches[0].take_suspect(1), None);
        assert_eq!(batches[0].get(1).network_context, r#"{"isp":"x"}"#);
    }

    #[test]
    fn a_tick_and_a_flush_are_batches_without_events() {
        let mut batch = chunk(Some(2), Some(9), &[]);
        batch.flush = vec![Partition(1)];
        let batches = decoder().decode(&batch);
        assert_eq!(
            batches.iter().map(|b| (b.partition.0, b.log_time.ms(), b.flush)).collect::<Vec<_>>(),
            [(2, 9, false), (1, 0, true)]
        );
    }
}
