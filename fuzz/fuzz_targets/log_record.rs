//! Records as a damaged file may hold them, and lines as a file of events may.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use netqoe_eventlog::{NdjsonReader, StoredRecord, Verdict};
use netqoe_model::{Partition, Position};

fuzz_target!(|input: (u8, u64, Option<i64>, Option<i64>, Option<i64>, Vec<u8>)| {
    let (partition, position, log_time_ms, end_byte, checksum, lines) = input;
    let (partition, position) = (Partition(partition.into()), Position(position >> 1));
    let record = StoredRecord { partition, position, log_time_ms, end_byte, lines: &lines, checksum };
    let verdict = record.verdict(Position(0));
    assert!(verdict != Verdict::Unchecked, "all records have checksums from here on");
    assert!(verdict != Verdict::Intact || checksum.is_some());

    let mut reader = NdjsonReader::new(Cursor::new(lines.clone()));
    let mut bytes = 0;
    while let Some(chunk) = reader.next_chunk().expect("memory can be read") {
        bytes += chunk.lines.len();
    }
    assert!(bytes <= lines.len() + 1);
});
