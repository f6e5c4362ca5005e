//! How fast lines become events, in bytes a second.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netqoe_model::Event;
use netqoe_simulator::{Line, Scenario};

fn parse(criterion: &mut Criterion) {
    let lines: Vec<Line> = Scenario { minutes: 10, ..Scenario::default() }.lines().collect();
    let bytes = lines.iter().map(|line| line.text.len() as u64).sum();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("scenario", |bencher| {
        bencher.iter(|| lines.iter().filter(|line| Event::parse(black_box(line.text.as_bytes())).is_ok()).count());
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
