//! Which processes a cluster has, and which of them this is.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::Secret;

/// What a process is told about its cluster when it starts.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The index of this process.
    pub process: usize,
    /// `HOST:PORT` of each process, this one included.
    pub addresses: Vec<String>,
    /// What a process must know to be one of them.
    pub secret: Secret,
    /// After how long without a heartbeat a process counts as lost.
    pub takeover: Duration,
}

impl Membership {
    /// How many processes there are.
    pub fn processes(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.addresses.len()).unwrap_or(NonZeroUsize::MIN)
    }
}
