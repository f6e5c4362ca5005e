//! A log that three servers keep.

use netqoe_eventlog::{DeadLetterOptions, LetterOrder};
use netqoe_model::DeadLetter;
use netqoe_testbed::NatsCluster;

use super::*;

/// Copies that the servers keep of a stream, and the bytes that it may come to hold.
async fn copies(jetstream: &jetstream::Context, stream: &str) -> (usize, i64) {
    let stream = jetstream.get_stream(stream).await.unwrap();
    let info = stream.get_info().await.unwrap();
    let followers = info.cluster.map_or(0, |cluster| cluster.replicas.len());
    assert_eq!(info.config.num_replicas, followers + 1);
    (info.config.num_replicas, info.config.max_bytes)
}

#[test]
fn the_dead_letters_have_as_many_copies_as_the_log() {
    let cluster = NatsCluster::start().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let client = runtime.block_on(async_nats::connect(cluster.url().split(',').collect::<Vec<_>>())).unwrap();
    for (replicas, [stream, subject, letters]) in
        [(3, ["three", "three.events", "three-letters"]), (1, ["one", "one.events", "one-letters"])]
    {
        let mut options = options(&cluster.url());
        options.connection.servers = cluster.url().split(',').map(str::to_owned).collect();
        options.stream.name = stream.to_owned();
        options.stream.subject = subject.to_owned();
        options.stream.replicas = replicas;
        let log = JetStreamLog::open(options).unwrap();
        append(&log, 0, "{}").unwrap();
        let lettered =
            DeadLetterOptions { stream: letters.to_owned(), subject: letters.to_owned(), ..Default::default() };
        let letter = DeadLetter {
            partition: Partition(0),
            position: Position(1),
            line: 0,
            log_time: LogTime::from_ms(1),
            reason: "a test".to_owned(),
            original: b"{}".to_vec(),
        };
        runtime.block_on(async {
            let kept = log.dead_letters(lettered.clone()).await.unwrap();
            kept.publish(&[letter]).await.unwrap();
            assert_eq!(kept.list(LetterOrder::OldestFirst, None, 9).await.unwrap().len(), 1);
            let jetstream = jetstream::new(client.clone());
            assert_eq!(copies(&jetstream, stream).await, (usize::from(replicas), 10 << 30));
            assert_eq!(copies(&jetstream, letters).await, (usize::from(replicas), 1 << 30));
        });
    }
}
