//! What could not be counted is kept in a stream too, before the commit that moves on from it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_eventlog::{DeadLetterOptions, DeadLetters, JetStreamLog, LogError};
use netqoe_model::DeadLetter;
use tokio::runtime::Runtime;

/// How long a server that is away may take to come back before a commit with dead letters is given up: longer than it
/// takes to start, and the process is started again anyhow.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps dead letters elsewhere too. It may be given the same ones again.
pub type SetAside = Box<dyn FnMut(&[DeadLetter]) -> Result<(), LogError> + Send>;

/// Keeps dead letters in their stream. The runtime lasts for as long as they may come, which is longer than the command
/// where that fails.
///
/// # Errors
/// Where the stream can't be opened.
pub fn in_stream(log: &JetStreamLog, stream: DeadLetterOptions, runtime: Arc<Runtime>) -> Result<SetAside, LogError> {
    let letters = runtime.block_on(log.dead_letters(stream))?;
    Ok(Box::new(move |new| runtime.block_on(publish(&letters, new))))
}

async fn publish(letters: &DeadLetters, new: &[DeadLetter]) -> Result<(), LogError> {
    let began = Instant::now();
    loop {
        match letters.publish(new).await {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() >= PATIENCE => return Err(error),
            Err(error) => tracing::warn!(%error, "dead letters are tried again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
