//! Keeps the durable consumer of a cluster's log where the store is, so that the servers show the true lag.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use netqoe_eventlog::{JetStreamLog, LogError, LogProgress, ProgressConsumer, ProgressOptions};
use netqoe_model::Checkpoint;
use netqoe_model::metrics::Metrics;
use netqoe_sinks::{Store, StoreError};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::gauge::gauge;
use crate::{PipelineError, View};

/// How often what is committed is acknowledged.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// Acknowledges to the durable consumer what all processes have committed, as `store` shows it, until `stop`. On a plain
/// thread, since the store's driver must not be used, nor dropped, by a task.
///
/// # Errors
/// [`PipelineError::Thread`].
pub fn follow(
    log: JetStreamLog,
    options: ProgressOptions,
    mut store: Box<dyn Store>,
    view: Arc<View>,
    stop: CancellationToken,
    runtime: Arc<Runtime>,
) -> Result<JoinHandle<()>, PipelineError> {
    let follow = move || {
        let (mut consumer, mut is_behind) = (None, false);
        while !stop.is_cancelled() {
            let committed = store.checkpoints();
            view.store_health().follow(&committed);
            let followed = runtime.block_on(acknowledge(&log, &options, &mut consumer, committed));
            // Only a change is worth a line.
            match &followed {
                Err(error) if !is_behind => tracing::warn!("the durable consumer falls behind: {error}"),
                Ok(_) if is_behind => tracing::info!("the durable consumer follows again"),
                _ => {}
            }
            is_behind = followed.is_err();
            followed.into_iter().for_each(|progress| show(&view.observed().metrics, progress));
            std::thread::sleep(FOLLOW_EVERY);
        }
    };
    std::thread::Builder::new().name("acknowledge".to_owned()).spawn(follow).map_err(PipelineError::Thread)
}

/// Why the consumer can't follow for now.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Log(#[from] LogError),
}

async fn acknowledge(
    log: &JetStreamLog,
    options: &ProgressOptions,
    consumer: &mut Option<ProgressConsumer>,
    committed: Result<Vec<Checkpoint>, StoreError>,
) -> Result<LogProgress, FollowError> {
    let committed: BTreeMap<_, _> = committed?.iter().map(|at| (at.partition, at.processed)).collect();
    let consumer = match consumer {
        Some(consumer) => consumer,
        none => none.insert(log.progress(options.clone()).await?),
    };
    Ok(consumer.follow(&committed).await?)
}

fn show(metrics: &Metrics, progress: LogProgress) {
    let LogProgress { messages, pending, ack_pending, ack_floor } = progress;
    for (shown, value) in [
        (&metrics.stream_messages, messages),
        (&metrics.consumer_pending, pending),
        (&metrics.queue_ack_pending, ack_pending),
        (&metrics.consumer_ack_floor, ack_floor.0),
    ] {
        shown.set(gauge(value));
    }
}
