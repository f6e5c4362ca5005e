//! Logs in memory, as feeds for any number of workers.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use netqoe_dataflow::{Batch, Epochs, Feed, Polled};
use netqoe_model::{Chunk, LogTime, Partition, Position};

use super::logs::Line;

/// A feed that gives out prepared batches: its own, or those that all workers share.
struct Prepared {
    batches: Arc<Mutex<VecDeque<Batch>>>,
    epochs: Arc<Epochs>,
    /// Those that a worker goes on with where nothing is to be read.
    partitions: Vec<Partition>,
}

impl Feed for Prepared {
    fn poll(&mut self) -> Polled {
        let mut batches = self.batches.lock().unwrap();
        match batches.pop_front() {
            // The lock is held: batches get their epochs in order.
            Some(batch) => Polled::Batch(Batch { epoch: self.epochs.take(), ..batch }),
            None => Polled::Ended,
        }
    }

    fn pause(&mut self) -> Batch {
        Batch { epoch: self.epochs.take(), flush: self.partitions.clone(), ..Batch::default() }
    }

    fn epoch(&self) -> u64 {
        self.epochs.next()
    }

    fn on_change(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        self.epochs.on_take(wake);
    }
}

/// These lines in chunks of so many. The position of a chunk is the number of its first line.
fn chunks(lines: &[Line], lines_a_chunk: usize) -> impl Iterator<Item = Chunk> {
    lines.chunks(lines_a_chunk).enumerate().map(move |(n, lines)| Chunk {
        partition: None,
        position: Position((n * lines_a_chunk) as u64 + 1),
        log_time: None,
        lines: lines.iter().flat_map(|line| [line.text.as_bytes(), b"\n"].concat()).collect(),
        set_aside: None,
        came_late: false,
        trace: None,
    })
}

/// A file of these lines, in chunks of so many lines.
pub(crate) fn file(lines: &[Line], lines_a_chunk: usize, workers: usize, partitions: NonZeroU16) -> Vec<Box<dyn Feed>> {
    let mut batches: VecDeque<_> =
        chunks(lines, lines_a_chunk).map(|chunk| Batch { chunks: vec![chunk], ..Batch::default() }).collect();
    batches.push_back(Batch { flush: (0..partitions.get()).map(Partition).collect(), ends: true, ..Batch::default() });
    shared(batches, workers)
}

/// The same, with open windows shown after each chunk.
pub(crate) fn shown_file(
    lines: &[Line],
    lines_a_chunk: usize,
    workers: usize,
    partitions: NonZeroU16,
) -> Vec<Box<dyn Feed>> {
    let show = |chunk| Batch {
        chunks: vec![chunk],
        flush: (0..partitions.get()).map(Partition).collect(),
        ..Batch::default()
    };
    shared(chunks(lines, lines_a_chunk).map(show).collect(), workers)
}

/// A feed for each worker that gives out what the others have left.
fn shared(batches: VecDeque<Batch>, workers: usize) -> Vec<Box<dyn Feed>> {
    let (batches, epochs) = (Arc::new(Mutex::new(batches)), Arc::<Epochs>::default());
    (0..workers)
        .map(|_| {
            Box::new(Prepared { batches: batches.clone(), epochs: epochs.clone(), partitions: Vec::new() })
                as Box<dyn Feed>
        })
        .collect()
}

/// One record of a partition: its place, its log time, its lines.
pub(crate) type Record = (Position, LogTime, Vec<Line>);

/// The records of each partition that a log would make of these lines, so many lines a record; each partition ends
/// with ticks that close all windows.
pub(crate) fn records(lines: &[Line], lines_a_record: usize, partitions: NonZeroU16) -> Vec<Vec<Record>> {
    let mut log = vec![Vec::<Record>::new(); usize::from(partitions.get())];
    let mut sequence = 0;
    for group in lines.chunks(lines_a_record) {
        let log_time = LogTime::from_ms(group.iter().map(|line| line.recv_ms).max().unwrap().max(1));
        for (partition, records) in log.iter_mut().enumerate() {
            let owned = group.iter().filter(|line| usize::from(Partition::of(&line.client, partitions).0) == partition);
            let owned: Vec<_> = owned.cloned().collect();
            if !owned.is_empty() {
                sequence += 1;
                records.push((Position(sequence), log_time, owned));
            }
        }
    }
    let last = lines.iter().map(|line| line.recv_ms).max().unwrap_or(1);
    for records in &mut log {
        for after_ms in [100_000, 1_000_000] {
            sequence += 1;
            records.push((Position(sequence), LogTime::from_ms(last + after_ms), Vec::new()));
        }
    }
    log
}

/// Feeds of these partitions' records from the given positions on, each worker its own, a few records a batch.
pub(crate) fn log(
    partitions: &[Vec<Record>],
    from: &[Position],
    records_a_batch: usize,
    workers: usize,
) -> Vec<Box<dyn Feed>> {
    let epochs = Arc::<Epochs>::default();
    let feed = |worker: usize| {
        let owned = partitions.iter().enumerate().filter(move |(partition, _)| partition % workers == worker);
        let numbers = owned.clone().map(|(partition, _)| Partition(partition as u16)).collect();
        let chunks = owned.flat_map(|(partition, records)| {
            let partition = Partition(partition as u16);
            let unread = records.iter().filter(move |(position, ..)| *position >= from[usize::from(partition.0)]);
            unread.map(move |(position, log_time, lines)| Chunk {
                partition: Some(partition),
                position: *position,
                log_time: Some(*log_time),
                lines: lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n").into_bytes(),
                set_aside: None,
                came_late: false,
                trace: None,
            })
        });
        let chunks: Vec<_> = chunks.collect();
        let batches = chunks.chunks(records_a_batch).map(|chunks| Batch {
            chunks: chunks.to_vec(),
            flush: chunks.iter().filter_map(|chunk| chunk.partition).collect(),
            ..Batch::default()
        });
        let batches = Arc::new(Mutex::new(batches.collect()));
        Box::new(Prepared { batches, epochs: epochs.clone(), partitions: numbers }) as Box<dyn Feed>
    };
    (0..workers).map(feed).collect()
}
