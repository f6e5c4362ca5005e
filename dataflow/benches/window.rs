//! How fast decoded events become rows of windows, in events a second: the pure state of one partition, without workers.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;
use std::num::NonZeroU16;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use netqoe_dataflow::window::PartitionWindows;
use netqoe_dataflow::{Batch, Decoder, EventBatch};
use netqoe_model::{Checkpoint, Chunk, LogTime, Partition, Position, Rules};
use netqoe_simulator::Scenario;

/// About as many events, in each shape.
const EVENTS: u32 = 36_000;
const MINUTES: u32 = 15;
/// What one record of a log takes in, in milliseconds: the events of a group commit under load.
const RECORD_MS: i64 = 50;

/// Whether open windows are shown after each record, as they are live, or only once they close, as in a replay.
#[derive(Clone, Copy)]
enum Shown {
    AfterEachRecord,
    OnceClosed,
}

/// A record, decoded.
type Record = Vec<EventBatch>;

/// The records of a log of one partition: so many measurements of each pair a minute, of so many pairs that it
/// makes [`EVENTS`].
fn records(per_minute: u32, shown: Shown) -> Vec<Record> {
    let clients = (EVENTS / MINUTES / per_minute).max(1);
    let scenario = Scenario { clients, targets: 1, minutes: MINUTES, per_minute, ..Scenario::default() };
    let lines: Vec<_> = scenario.lines().collect();
    let decoder = Decoder::new(NonZeroU16::MIN, Rules::default().max_future_ms);
    let records = lines.chunk_by(|a, b| a.recv_ms.div_euclid(RECORD_MS) == b.recv_ms.div_euclid(RECORD_MS));
    let decoded = records.zip(1..).map(|(record, position)| {
        let chunk = Chunk {
            partition: Some(Partition(0)),
            position: Position(position),
            log_time: record.last().map(|line| LogTime::from_ms(line.recv_ms)),
            lines: record.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n").into_bytes(),
            set_aside: None,
            came_late: false,
            trace: None,
        };
        let flush = match shown {
            Shown::AfterEachRecord => vec![Partition(0)],
            Shown::OnceClosed => Vec::new(),
        };
        decoder.decode(&Batch { epoch: position, chunks: vec![chunk], flush, ..Batch::default() })
    });
    decoded.collect()
}

/// Every record in a turn of its own, into an empty partition. Returns what was changed, so that nothing is left out.
fn run(records: Vec<Record>, rules: &Arc<Rules>) -> usize {
    let mut windows = PartitionWindows::new(Arc::clone(rules), Checkpoint::default());
    let mut changes = 0;
    for record in records {
        record.into_iter().for_each(|batch| windows.apply(batch));
        changes += windows.turn().map_or(0, |output| output.changes.len());
    }
    changes
}

fn window(criterion: &mut Criterion) {
    let rules = Arc::new(Rules::default());
    let mut group = criterion.benchmark_group("window");
    group.sample_size(20);
    for (name, per_minute, shown) in [
        ("2 a minute, shown once closed", 2, Shown::OnceClosed),
        ("2 a minute, shown after each record", 2, Shown::AfterEachRecord),
        ("60 a minute, shown once closed", 60, Shown::OnceClosed),
        ("2400 a minute, sketched, shown once closed", 2400, Shown::OnceClosed),
    ] {
        let records = records(per_minute, shown);
        group.throughput(Throughput::Elements(records.iter().flatten().map(|batch| batch.read).sum()));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| records.clone(), |records| run(black_box(records), &rules), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, window);
criterion_main!(benches);
