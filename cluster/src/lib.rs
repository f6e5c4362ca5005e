//! The processes of one timely cluster: how they find each other, and how they notice that one is lost.
//!
//! Between each two processes there are two connections: one for timely's messages, and one for their pulse. Workers may
//! wait for a slow store for as long as it takes; the pulse has threads of its own and beats all the same.
//!
//! This crate must not know what the workers compute, nor any log, store, option or exit code. Its errors say what
//! happened and what to do; the binary decides how the process ends.

mod callers;
mod error;
mod hello;
mod pulse;

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use netqoe_dataflow::Links;
use timely::communication::allocator::{AllocatorBuilder, ProcessBuilder};
use timely::communication::{Hooks, allocator::zero_copy::initialize::initialize_networking_from_sockets};

use callers::Callers;
pub use error::ClusterError;
pub use hello::Secret;
use hello::{Hello, Purpose};
pub use pulse::{Loss, Lost, Pulse};

/// How long to wait before a process that does not answer is tried again: it may be starting.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How often those that are waited for are named.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Which processes there are, and which of them this is.
#[derive(Clone, Debug)]
pub struct Membership {
    /// This one's index.
    pub process: usize,
    /// `HOST:PORT` of each process, this one included.
    pub addresses: Vec<String>,
    /// What a process must know to be one of them.
    pub secret: Secret,
    /// After how long without a sign of life a process counts as lost.
    pub takeover: Duration,
}

impl Membership {
    /// How many processes there are.
    pub fn processes(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.addresses.len()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Connected processes.
pub struct Group {
    /// By process; none for this one.
    timely: Vec<Option<TcpStream>>,
    process: usize,
    /// Tells whether the others live.
    pub pulse: Pulse,
}

impl Group {
    /// Waits until all processes are connected, or `given_up` says that nobody wants it any more.
    ///
    /// # Errors
    /// Where this process's address can't be listened on, or a process refuses us.
    pub fn join(membership: &Membership, given_up: impl Fn() -> bool) -> Result<Option<Self>, ClusterError> {
        let Some(connections) = connect(membership, given_up)? else { return Ok(None) };
        let Connections { timely, pulse } = connections;
        let pulse = Pulse::start(membership.process, pulse, membership.takeover)?;
        Ok(Some(Self { timely, process: membership.process, pulse }))
    }

    /// The workers' links, for so many in each process.
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

/// Both connections to each other process.
struct Connections {
    timely: Vec<Option<TcpStream>>,
    pulse: Vec<Option<TcpStream>>,
}

impl Connections {
    fn none(processes: usize) -> Self {
        let none = || (0..processes).map(|_| None).collect();
        Self { timely: none(), pulse: none() }
    }

    fn of(&mut self, purpose: Purpose) -> &mut Vec<Option<TcpStream>> {
        match purpose {
            Purpose::Timely => &mut self.timely,
            Purpose::Pulse => &mut self.pulse,
        }
    }

    /// The processes that are not connected yet.
    fn missing(&self, process: usize) -> Vec<usize> {
        let others = (0..self.timely.len()).filter(|&other| other != process);
        others.filter(|&other| self.timely[other].is_none() || self.pulse[other].is_none()).collect()
    }
}

/// Connects to the processes before this one, and is connected to by those after it.
fn connect(membership: &Membership, given_up: impl Fn() -> bool) -> Result<Option<Connections>, ClusterError> {
    let Membership { process, addresses, .. } = membership;
    let mut connections = Connections::none(addresses.len());
    if addresses.len() == 1 {
        return Ok(Some(connections));
    }
    let callers = Callers::hear(listen(membership)?, membership)?;
    callers.know();
    let mut said = Instant::now();
    loop {
        for (hello, stream) in callers.welcome() {
            connections.of(hello.purpose)[hello.process] = Some(stream);
        }
        let missing = connections.missing(*process);
        if missing.is_empty() {
            return Ok(Some(connections));
        }
        if given_up() {
            return Ok(None);
        }
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            let names: Vec<_> = missing.iter().map(|&other| format!("{other} at {}", addresses[other])).collect();
            tracing::info!("waiting for process {}", names.join(", process "));
            callers.know();
        }
        for &earlier in missing.iter().filter(|&other| other < process) {
            for purpose in Purpose::ALL {
                let connection = &mut connections.of(purpose)[earlier];
                if connection.is_none() {
                    *connection = call(membership, earlier, purpose)?;
                }
            }
        }
        callers.wait(RETRY_EVERY);
    }
}

fn listen(membership: &Membership) -> Result<TcpListener, ClusterError> {
    let address = &membership.addresses[membership.process];
    let cant_listen = |source| ClusterError::Listen { address: address.clone(), source };
    let listener = TcpListener::bind(address).map_err(cant_listen)?;
    let local = listener.local_addr().map_err(cant_listen)?;
    if !local.ip().is_loopback() && membership.secret.is_empty() {
        return Err(ClusterError::SecretNeeded { address: address.clone() });
    }
    listener.set_nonblocking(true).map_err(cant_listen)?;
    Ok(listener)
}

/// Calls an earlier process; none where it does not answer yet.
fn call(membership: &Membership, other: usize, purpose: Purpose) -> Result<Option<TcpStream>, ClusterError> {
    let address = &membership.addresses[other];
    let Some(socket) = address.to_socket_addrs().ok().and_then(|mut sockets| sockets.next()) else { return Ok(None) };
    let Ok(mut stream) = TcpStream::connect_timeout(&socket, hello::PATIENCE) else { return Ok(None) };
    let hello = Hello { process: membership.process, processes: membership.addresses.len(), purpose };
    match hello.say(&mut stream, &membership.secret) {
        Ok(()) => Ok(Some(stream)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(ClusterError::Refused { process: other, address: address.clone(), reason: error })
        }
        // It went away again, or is something else that has taken its place.
        Err(error) => {
            tracing::debug!("process {other} at {address}: {error}");
            Ok(None)
        }
    }
}
