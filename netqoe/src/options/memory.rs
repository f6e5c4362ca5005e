//! How much memory a process may have that takes events.

use std::num::NonZeroU64;

use clap::Args;

use super::positive;

#[derive(Args, Debug)]
#[command(next_help_heading = "HTTP server")]
pub(crate) struct MemoryOptions {
    /// Memory that the process may have resident, in bytes. While it has more, events of new pairs of client and target are
    /// refused, and known pairs go on. By default it is not bounded
    #[arg(long, env = "NETQOE_MAX_MEMORY", value_name = "BYTES", value_parser = positive::<NonZeroU64>)]
    pub(crate) max_memory: Option<NonZeroU64>,
}
