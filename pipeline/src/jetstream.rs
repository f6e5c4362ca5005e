//! What runs beside the dataflow of a cluster: the durable consumer that shows its progress, and the stream of what
//! could not be counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use netqoe_eventlog::{DeadLetterOptions, DeadLetters, JetStreamLog, LogProgress, ProgressConsumer, ProgressOptions};
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, DeadLetter};
use netqoe_sinks::{Store, StoreError};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::SetAside;
use crate::measured::StoreHealth;

/// How often what is committed is acknowledged.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// How long a server that is away may take to come back before a commit with dead letters is given up: longer than it
/// takes to start, and the process is started again anyhow.
const LETTERS_PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const LETTERS_PAUSE: Duration = Duration::from_millis(500);

/// Keeps dead letters in their stream before the commit that moves on from them. The runtime lasts for as long as they
/// may come, which is longer than the command where that fails.
pub fn setting_aside(log: &JetStreamLog, stream: DeadLetterOptions, runtime: Arc<Runtime>) -> anyhow::Result<SetAside> {
    let letters = runtime.block_on(log.dead_letters(stream))?;
    Ok(Box::new(move |new| runtime.block_on(publish(&letters, new))))
}

async fn publish(letters: &DeadLetters, new: &[DeadLetter]) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match letters.publish(new).await {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() >= LETTERS_PATIENCE => {
                return Err(error).context("can't set aside what could not be counted");
            }
            Err(error) => tracing::warn!(%error, "dead letters are tried again"),
        }
        tokio::time::sleep(LETTERS_PAUSE).await;
    }
}

/// Acknowledges to the durable consumer what all processes have committed, as `store` shows it, until `stop`. On a plain
/// thread, since the store's driver must not be used, nor dropped, by a task.
pub fn follow(
    log: JetStreamLog,
    options: ProgressOptions,
    mut store: Box<dyn Store>,
    (metrics, health): (Metrics, StoreHealth),
    stop: CancellationToken,
    runtime: Arc<Runtime>,
) -> anyhow::Result<JoinHandle<()>> {
    let follow = move || {
        let (mut consumer, mut is_behind) = (None, false);
        while !stop.is_cancelled() {
            let committed = store.checkpoints();
            health.follow(&committed);
            let followed = runtime.block_on(acknowledge(&log, &options, &mut consumer, committed));
            // Only a change is worth a line.
            match &followed {
                Err(error) if !is_behind => tracing::warn!("the durable consumer falls behind: {error:#}"),
                Ok(_) if is_behind => tracing::info!("the durable consumer follows again"),
                _ => {}
            }
            is_behind = followed.is_err();
            followed.into_iter().for_each(|progress| show(&metrics, progress));
            std::thread::sleep(FOLLOW_EVERY);
        }
    };
    std::thread::Builder::new().name("acknowledge".to_owned()).spawn(follow).context("can't start a thread")
}

async fn acknowledge(
    log: &JetStreamLog,
    options: &ProgressOptions,
    consumer: &mut Option<ProgressConsumer>,
    committed: Result<Vec<Checkpoint>, StoreError>,
) -> anyhow::Result<LogProgress> {
    let committed: BTreeMap<_, _> = committed?.iter().map(|at| (at.partition, at.processed)).collect();
    let consumer = match consumer {
        Some(consumer) => consumer,
        none => none.insert(log.progress(options.clone()).await?),
    };
    Ok(consumer.follow(&committed).await?)
}

fn show(metrics: &Metrics, progress: LogProgress) {
    let LogProgress { messages, pending, ack_pending, ack_floor } = progress;
    for (gauge, value) in [
        (&metrics.stream_messages, messages),
        (&metrics.consumer_pending, pending),
        (&metrics.queue_ack_pending, ack_pending),
        (&metrics.consumer_ack_floor, ack_floor.0),
    ] {
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}
