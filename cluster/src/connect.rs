//! Connecting the processes: each calls those before it and is called by those after it, in any order, until all are
//! connected.

use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::acceptor::Acceptor;
use crate::handshake::{Call, CallError, HANDSHAKE_TIMEOUT, Purpose, call};
use crate::{ClusterError, Membership};

/// How long to wait before a process that does not answer is called again: it may be starting.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How often the log says the same about connections that do not come about.
pub(crate) const LOG_EVERY: Duration = Duration::from_secs(10);

/// Both connections to each other process.
pub(crate) struct Connections {
    pub(crate) timely: Vec<Option<TcpStream>>,
    pub(crate) heartbeat: Vec<Option<TcpStream>>,
}

impl Connections {
    fn none(processes: usize) -> Self {
        let none = || (0..processes).map(|_| None).collect();
        Self { timely: none(), heartbeat: none() }
    }

    fn of(&mut self, purpose: Purpose) -> &mut Vec<Option<TcpStream>> {
        match purpose {
            Purpose::Timely => &mut self.timely,
            Purpose::Heartbeat => &mut self.heartbeat,
        }
    }

    /// The processes that are not connected yet.
    fn missing(&self, process: usize) -> Vec<usize> {
        let others = (0..self.timely.len()).filter(|&other| other != process);
        others.filter(|&other| self.timely[other].is_none() || self.heartbeat[other].is_none()).collect()
    }
}

/// Connects to the processes before this one, and accepts those after it. `None` if `given_up` returns true before all
/// are connected.
pub(crate) fn connect(
    membership: &Membership,
    given_up: impl Fn() -> bool,
) -> Result<Option<Connections>, ClusterError> {
    let Membership { process, addresses, .. } = membership;
    let mut connections = Connections::none(addresses.len());
    if addresses.len() == 1 {
        return Ok(Some(connections));
    }
    let acceptor = Acceptor::start(listen(membership)?, membership)?;
    acceptor.resolve_members();
    let mut logged = Instant::now();
    // Why the last call of each process failed.
    let mut failures: Vec<Option<CallError>> = addresses.iter().map(|_| None).collect();
    loop {
        for (call, stream) in acceptor.take_accepted() {
            connections.of(call.purpose)[call.process] = Some(stream);
        }
        let missing = connections.missing(*process);
        if missing.is_empty() {
            return Ok(Some(connections));
        }
        if given_up() {
            return Ok(None);
        }
        if logged.elapsed() >= LOG_EVERY {
            logged = Instant::now();
            tracing::info!("waiting for {}", names(&missing, addresses, &failures));
            acceptor.resolve_members();
        }
        for &earlier in missing.iter().filter(|&other| other < process) {
            for purpose in Purpose::ALL {
                let connection = &mut connections.of(purpose)[earlier];
                if connection.is_none() {
                    match reach(membership, earlier, purpose) {
                        Ok(stream) => *connection = stream,
                        Err(CallError::Rejected(reason)) => {
                            let address = addresses[earlier].clone();
                            return Err(ClusterError::Rejected { process: earlier, address, reason });
                        }
                        Err(failure) => failures[earlier] = Some(failure),
                    }
                }
            }
        }
        acceptor.wait(RETRY_EVERY);
    }
}

/// These processes, with their addresses and why they could not be connected.
fn names(missing: &[usize], addresses: &[String], failures: &[Option<CallError>]) -> String {
    let name = |&other: &usize| match &failures[other] {
        Some(failure) => format!("process {other} at {} (last call: {failure})", addresses[other]),
        None => format!("process {other} at {}", addresses[other]),
    };
    missing.iter().map(name).collect::<Vec<_>>().join(", ")
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

/// Calls an earlier process. `None` if it does not listen yet.
fn reach(membership: &Membership, other: usize, purpose: Purpose) -> Result<Option<TcpStream>, CallError> {
    let address = &membership.addresses[other];
    let Some(socket) = address.to_socket_addrs().ok().and_then(|mut sockets| sockets.next()) else { return Ok(None) };
    let Ok(mut stream) = TcpStream::connect_timeout(&socket, HANDSHAKE_TIMEOUT) else { return Ok(None) };
    let Membership { process, addresses, secret, .. } = membership;
    let this = Call { process: *process, called: other, processes: addresses.len(), purpose };
    call(&mut stream, this, secret, rand::random())?;
    Ok(Some(stream))
}
