//! Why this process can't take part in its cluster.

use std::io;

use crate::Rejection;

/// What stopped this process on its way into the cluster. Where one has a source, that says what the system answered.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Its own address can't be listened on.
    #[error("can't listen on {address} for the other processes; see the host file and -p")]
    Listen {
        /// Its own address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// Other machines reach its address, and it has no secret by which it could tell who belongs to the cluster.
    #[error("{address} is reached from other machines; give all processes the same --cluster-secret-file")]
    SecretNeeded {
        /// Its own address.
        address: String,
    },
    /// An earlier process rejects it, and would reject it again.
    #[error("process {process} at {address} refuses this one: {reason}")]
    Rejected {
        /// Which process.
        process: usize,
        /// Where it listens.
        address: String,
        /// Why, as it says.
        reason: Rejection,
    },
    /// There is no thread for the connections to other processes.
    #[error("can't start a thread for the connections to other processes")]
    Thread(#[source] io::Error),
    /// A connection to another process can't be used.
    #[error("can't watch process {process}")]
    Watch {
        /// Which process.
        process: usize,
        /// What the system says.
        source: io::Error,
    },
    /// The workers of this process can't be made.
    #[error("can't make the workers: {0}")]
    Workers(String),
    /// The workers of this process can't be linked with those of the others.
    #[error("can't link the workers of all processes")]
    Link(#[source] io::Error),
}
