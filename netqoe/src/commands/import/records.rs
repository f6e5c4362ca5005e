//! Dated lines, gathered into records of the log.

use std::num::NonZeroU16;

use netqoe_model::{LogTime, Partition};

/// Bytes that are imported at once: enough that flushing the disk costs little.
const BATCH_BYTES: usize = 8 << 20;

/// A log time, and the lines that the log takes at it.
pub(super) type Record = (LogTime, Vec<(Partition, Vec<u8>)>);

/// What is to be imported next.
pub(super) struct Records {
    partitions: NonZeroU16,
    window_ms: i64,
    gathered: Vec<Record>,
    bytes: usize,
    /// The window of the newest line.
    window: Option<i64>,
}

impl Records {
    pub(super) fn new(partitions: NonZeroU16, window_ms: i64) -> Self {
        Self { partitions, window_ms, gathered: Vec::new(), bytes: 0, window: None }
    }

    /// Adds the line of an event, or a tick. In a file, time goes on for all partitions at once; so all are ticked with the
    /// first line of each window, and windows close and incidents are found as in a replay.
    pub(super) fn add(&mut self, log_time: LogTime, event: Option<(Partition, Vec<u8>)>) {
        if self.gathered.last().is_none_or(|(last, _)| *last != log_time) {
            self.gathered.push((log_time, Vec::new()));
        }
        let Some((_, lines)) = self.gathered.last_mut() else { return };
        let window = log_time.ms().div_euclid(self.window_ms);
        if self.window.replace(window) != Some(window) || event.is_none() {
            lines.extend((0..self.partitions.get()).map(|partition| (Partition(partition), Vec::new())));
        }
        self.bytes += event.as_ref().map_or(0, |(_, line)| line.len());
        lines.extend(event);
    }

    /// Whether it is time to import.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }

    /// Hands out what was gathered.
    pub(super) fn take(&mut self) -> Vec<Record> {
        self.bytes = 0;
        std::mem::take(&mut self.gathered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_time_are_one_record_and_each_window_begins_with_ticks() {
        let partitions = NonZeroU16::new(2).unwrap();
        let mut records = Records::new(partitions, 60_000);
        let line = |text: &str| Some((Partition(1), text.as_bytes().to_vec()));
        for (ms, event) in
            [(59_000, line("a")), (59_000, line("b")), (60_000, line("c")), (61_000, line("d")), (61_000, None)]
        {
            records.add(LogTime::from_ms(ms), event);
        }
        let found = records.take();
        let texts = |lines: &[(Partition, Vec<u8>)]| {
            let texts: Vec<_> = lines.iter().map(|(partition, line)| (partition.0, line.clone())).collect();
            texts
        };
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|text| (1, text.as_bytes().to_vec()));
        let [first, second] = [0, 1].map(|partition| (partition, Vec::new()));
        let expected = [
            (59_000, vec![first.clone(), second.clone(), a, b]),
            (60_000, vec![first.clone(), second.clone(), c]),
            (61_000, vec![d, first, second]),
        ];
        let found: Vec<_> = found.iter().map(|(log_time, lines)| (log_time.ms(), texts(lines))).collect();
        assert_eq!(found, expected);
        assert!(records.take().is_empty());
    }
}
