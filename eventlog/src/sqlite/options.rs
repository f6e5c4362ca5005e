//! How an embedded log works.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::DEFAULT_PARTITIONS;
use netqoe_trace::Tracer;
use parking_lot::FairMutex;

use super::Boot;
use crate::LogClock;

/// How long records are kept unless the options say otherwise: 7 days.
const DEFAULT_RETENTION_MS: i64 = 7 * 86_400_000;
/// How much a log holds unless the options say otherwise: 10 GB.
const DEFAULT_MAX_BYTES: u64 = 10_000_000_000;
/// How long a clock that jumped ahead must have stayed there unless the options say otherwise: longer than it takes to set
/// a machine's clock right after its start, and not so long that somebody has to come.
const DEFAULT_BELIEVE_CLOCK_AFTER: Duration = Duration::from_secs(600);

/// How a [`SqliteLog`](super::SqliteLog) works.
#[derive(Clone)]
pub struct SqliteLogOptions {
    /// Partitions of a log that is made; one that is there keeps its own.
    pub partitions: NonZeroU16,
    /// Records that are this much older than the log's time are discarded once they are not needed, in milliseconds.
    pub retention_ms: i64,
    /// What the log may hold, in bytes of its records. Beyond it the oldest are discarded once they are not needed;
    /// until then appends are refused. The file keeps its size: freed room is used again.
    pub max_bytes: u64,
    /// The clock of the log. Where it steps back, the log's time stands still until it catches up.
    pub clock: LogClock,
    /// By what the clock is judged.
    pub boot: Boot,
    /// A clock that jumped far ahead is believed once it has stayed there for so long; until then appends are refused.
    pub believe_clock_after: Duration,
    /// Held during each write to the file. Connections that share it queue in order of arrival, while SQLite
    /// would have them sleep and try again.
    pub write_turn: Arc<FairMutex<()>>,
    /// What starts the span of a transaction.
    pub tracer: Tracer,
}

impl SqliteLogOptions {
    /// 16 partitions, 7 days, 10 GB; a clock that jumped ahead is believed after 10 minutes; no spans.
    pub fn new(clock: LogClock, write_turn: Arc<FairMutex<()>>) -> Self {
        Self {
            partitions: DEFAULT_PARTITIONS,
            retention_ms: DEFAULT_RETENTION_MS,
            max_bytes: DEFAULT_MAX_BYTES,
            clock,
            boot: Boot::of_machine(),
            believe_clock_after: DEFAULT_BELIEVE_CLOCK_AFTER,
            write_turn,
            tracer: Tracer::OFF,
        }
    }
}
