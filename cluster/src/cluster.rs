//! A process that is connected to all others of its cluster.

use std::net::TcpStream;
use std::num::NonZeroUsize;

use netqoe_dataflow::Links;
use timely::communication::Hooks;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::allocator::{AllocatorBuilder, ProcessBuilder};

use crate::connect::{Connections, connect};
use crate::{ClusterError, Heartbeat, Membership};

/// The connections of this process to all others.
pub struct Cluster {
    /// By process; `None` for this one.
    timely: Vec<Option<TcpStream>>,
    process: usize,
    /// Tells whether the other processes live.
    pub heartbeat: Heartbeat,
}

impl Cluster {
    /// Waits until all processes are connected. `None` if `given_up` returns true before that.
    ///
    /// # Errors
    /// [`ClusterError`] if this process can't listen on its address, or another process rejects it.
    pub fn join(membership: &Membership, given_up: impl Fn() -> bool) -> Result<Option<Self>, ClusterError> {
        let Some(connections) = connect(membership, given_up)? else { return Ok(None) };
        let Connections { timely, heartbeat } = connections;
        let heartbeat = Heartbeat::start(membership.process, heartbeat, membership.takeover)?;
        Ok(Some(Self { timely, process: membership.process, heartbeat }))
    }

    /// The links of this process's workers to all workers, for this number of workers in each process.
    ///
    /// # Errors
    /// [`ClusterError`] if timely can't make them.
    pub fn links(&mut self, workers: NonZeroUsize) -> Result<Links, ClusterError> {
        let sockets = std::mem::take(&mut self.timely);
        if sockets.len() == 1 {
            return Links::within(workers).map_err(ClusterError::Workers);
        }
        let hooks = Hooks::default();
        let within = ProcessBuilder::new_typed_vector(workers.get(), hooks.refill.clone(), hooks.spill.clone());
        let (builders, guard) = initialize_networking_from_sockets(within, sockets, self.process, workers.get(), hooks)
            .map_err(ClusterError::Link)?;
        let builders = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
        Ok(Links { builders, guard: Box::new(guard) })
    }
}
