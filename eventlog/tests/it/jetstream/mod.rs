//! The log in JetStream, on a real nats-server: what is answered, what is read, and what a server that comes and goes
//! does to it.

mod append;
mod connection;
mod continuity;
mod dead_letters;
mod export;
mod parted;
mod progress;
mod read;
mod replicas;
mod search;
mod stream;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_nats::jetstream;
use async_nats::jetstream::message::StreamMessage;
use bytes::Bytes;
use futures::executor::block_on;
use netqoe_eventlog::{
    AppendError, EventLog, JetStreamLog, JetStreamOptions, LogError, LogReader, NatsOptions, Start, StreamOptions,
};
use netqoe_model::{Chunk, LogTime, Partition, Position};
use netqoe_testbed::NatsServer;

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(100);

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// Options of a small log of 4 partitions on this server.
fn options(url: &str) -> JetStreamOptions {
    let connection = NatsOptions { servers: vec![url.to_owned()], ..NatsOptions::default() };
    let stream = StreamOptions { partitions: NonZeroU16::new(4).unwrap(), ..StreamOptions::default() };
    JetStreamOptions { stream, ..JetStreamOptions::new(connection, Arc::new(|| LogTime::from_ms(now_ms()))) }
}

fn open(nats: &NatsServer) -> JetStreamLog {
    JetStreamLog::open(options(&nats.url())).unwrap()
}

fn append(log: &JetStreamLog, partition: u16, line: &str) -> Result<LogTime, AppendError> {
    block_on(log.append(vec![(Partition(partition), line.as_bytes().to_vec())]))
}

fn start(partition: u16) -> Start {
    Start { partition: Partition(partition), from: Position(0), processed: Position(0), log_time: None }
}

/// A reader of these partitions from their beginning.
fn reader(log: &JetStreamLog, partitions: impl IntoIterator<Item = u16>) -> Box<dyn LogReader> {
    log.reader(&partitions.into_iter().map(start).collect::<Vec<_>>()).unwrap()
}

/// The next `count` messages of a reader.
fn read(reader: &mut dyn LogReader, count: usize) -> Vec<Chunk> {
    let mut all = Vec::new();
    eventually("the messages come", || {
        all.extend(reader.read(1 << 20).unwrap().into_iter().filter(|chunk| chunk.log_time.is_some()));
        all.len() >= count
    });
    all
}

/// What a reader fails with.
fn failure(reader: &mut dyn LogReader) -> LogError {
    let mut failure = None;
    eventually("the reader fails", || {
        failure = reader.read(1 << 20).err();
        failure.is_some()
    });
    failure.unwrap()
}

/// Partition, position and text of each.
fn texts(chunks: &[Chunk]) -> Vec<(Option<u16>, u64, &str)> {
    let text = |lines| std::str::from_utf8(lines).unwrap();
    chunks
        .iter()
        .map(|chunk| (chunk.partition.map(|partition| partition.0), chunk.position.0, text(&chunk.lines)))
        .collect()
}

/// A client that is not netqoe.
struct Other {
    runtime: tokio::runtime::Runtime,
    jetstream: jetstream::Context,
}

impl Other {
    fn connect(nats: &NatsServer) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async_nats::connect(nats.url())).unwrap();
        let jetstream = {
            let _runtime = runtime.enter();
            jetstream::new(client)
        };
        Self { runtime, jetstream }
    }

    /// Publishes a message without headers, and returns its sequence.
    fn publish(&self, subject: &str, payload: &str) -> u64 {
        let payload = Bytes::from(payload.to_owned());
        let published = async { self.jetstream.publish(subject.to_owned(), payload).await.unwrap().await.unwrap() };
        self.runtime.block_on(published).sequence
    }

    /// Publishes a message that says that it holds lines.
    fn publish_lines(&self, subject: &str, lines: &str) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Content-Type", "application/x-ndjson");
        let payload = Bytes::from(lines.to_owned());
        let publish = self.jetstream.publish_with_headers(subject.to_owned(), headers, payload);
        self.runtime.block_on(async { publish.await.unwrap().await.unwrap() });
    }

    fn stream(&self) -> jetstream::stream::Stream {
        self.runtime.block_on(self.jetstream.get_stream("telemetry-events")).unwrap()
    }

    fn consumers(&self) -> usize {
        self.stream().cached_info().state.consumer_count
    }

    /// All messages of the stream.
    fn messages(&self) -> Vec<StreamMessage> {
        let stream = self.stream();
        let state = stream.cached_info().state.clone();
        let message = |sequence| self.runtime.block_on(stream.get_raw_message(sequence)).unwrap();
        (state.first_sequence.max(1)..=state.last_sequence).map(message).collect()
    }
}

fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
