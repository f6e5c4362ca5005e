//! What runs beside the dataflow of a cluster: the durable consumer that shows its progress, and the stream of what
//! could not be counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use netqoe_eventlog::{DeadLetterOptions, DeadLetters, JetStreamLog, LogProgress, ProgressOptions};
use netqoe_model::DeadLetter;
use netqoe_model::metrics::Metrics;
use netqoe_sinks::Store;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::pipeline::SetAside;

/// How often what is committed is acknowledged.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// How long a server that is away may take to come back before a commit with dead letters is given up: longer than it
/// takes to start, and the process is started again anyhow.
const LETTERS_PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const LETTERS_PAUSE: Duration = Duration::from_millis(500);

/// Keeps dead letters in their stream before the commit that moves on from them.
pub(super) async fn setting_aside(log: &JetStreamLog) -> anyhow::Result<SetAside> {
    let letters = log.dead_letters(DeadLetterOptions::default()).await?;
    let runtime = Handle::current();
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

/// Acknowledges to the durable consumer what all processes have committed, as `store` shows it, until `stop`.
pub(super) async fn follow(
    log: JetStreamLog,
    options: ProgressOptions,
    store: Box<dyn Store>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let mut store = Some(store);
    let mut consumer = None;
    let mut interval = tokio::time::interval(FOLLOW_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let followed = async {
            let mut reading = store.take().context("the store is not read any more")?;
            let (back, committed) = tokio::task::spawn_blocking(move || {
                let committed = reading.checkpoints();
                (reading, committed)
            })
            .await?;
            store = Some(back);
            let committed: BTreeMap<_, _> = committed?.iter().map(|at| (at.partition, at.processed)).collect();
            let consumer = match &mut consumer {
                Some(consumer) => consumer,
                none => none.insert(log.progress(options.clone()).await?),
            };
            anyhow::Ok(consumer.follow(&committed).await?)
        };
        match followed.await {
            Ok(progress) => show(&metrics, progress),
            Err(error) => tracing::warn!("the durable consumer is behind: {error:#}"),
        }
    }
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
