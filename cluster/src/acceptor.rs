//! Accepting the connections of later processes. All callers are heard at the same time, on a thread of its own: no caller
//! that is silent, slow or another program delays one that belongs to the cluster.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::connect::LOG_EVERY;
use crate::handshake::{Call, HANDSHAKE_TIMEOUT, Listening, Refused, Reply, Welcome};
use crate::{ClusterError, Membership};

/// Handshakes at the same time: many more than a cluster has processes, and a quarter of the file descriptors that a
/// process may have by default.
const MAX_PENDING: usize = 256;
/// Connections that are accepted before the pending ones are looked at again.
const MAX_ACCEPTED_IN_A_ROW: usize = 64;
/// How soon the thread notices that it is to end, or that a caller was silent for too long.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long to wait if connections can't be accepted, for lack of file descriptors.
const RETRY_PAUSE: Duration = Duration::from_millis(10);
/// Read at once: more than any frame has, so that one that is too long shows.
const READ_BYTES: usize = 64;

/// Accepts connections until it is dropped.
pub(crate) struct Acceptor {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    membership: Membership,
    /// Addresses from which the later processes are expected.
    member_addresses: Mutex<HashSet<IpAddr>>,
    /// Connections whose handshake is complete and that nobody has taken yet: the last one of each process and purpose.
    accepted: Mutex<Vec<(Call, TcpStream)>>,
    arrived: Condvar,
    ended: AtomicBool,
}

impl Acceptor {
    /// Begins to accept connections of this listener, which does not block.
    pub(crate) fn start(listener: TcpListener, membership: &Membership) -> Result<Self, ClusterError> {
        let shared = Arc::new(Shared {
            membership: membership.clone(),
            member_addresses: Mutex::default(),
            accepted: Mutex::default(),
            arrived: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let (pending, log) = (Vec::new(), RefusalLog::default());
        let accepting = Accepting { shared: Arc::clone(&shared), listener, pending, log };
        let thread = std::thread::Builder::new().name("cluster-accept".to_owned()).spawn(move || accepting.run());
        Ok(Self { shared, accepting: Some(thread.map_err(ClusterError::Thread)?) })
    }

    /// Looks up the addresses of the later processes: they go before others if too many call.
    pub(crate) fn resolve_members(&self) {
        let Membership { process, addresses, .. } = &self.shared.membership;
        let later = addresses.iter().skip(process + 1);
        let sockets = later.filter_map(|address| address.to_socket_addrs().ok()).flatten();
        let addresses = sockets.map(|socket| socket.ip().to_canonical()).collect();
        *self.shared.member_addresses.lock() = addresses;
    }

    /// The connections of members that were accepted since this was last asked.
    pub(crate) fn take_accepted(&self) -> Vec<(Call, TcpStream)> {
        std::mem::take(&mut self.shared.accepted.lock())
    }

    /// Waits until a member is accepted, but no longer than this.
    pub(crate) fn wait(&self, at_most: Duration) {
        let mut accepted = self.shared.accepted.lock();
        if accepted.is_empty() {
            self.shared.arrived.wait_for(&mut accepted, at_most);
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if self.accepting.take().is_some_and(|accepting| accepting.join().is_err()) {
            tracing::error!("the thread that accepts other processes panicked");
        }
    }
}

/// What the thread works on.
struct Accepting {
    shared: Arc<Shared>,
    listener: TcpListener,
    /// In the order in which they called.
    pending: Vec<Pending>,
    log: RefusalLog,
}

/// A connection whose handshake is not complete.
struct Pending {
    stream: TcpStream,
    from: SocketAddr,
    since: Instant,
    handshake: Listening,
}

/// Why a pending connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Closed {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("it did not say who it is within {HANDSHAKE_TIMEOUT:?}")]
    Silent,
    #[error("it went away before it said who it is")]
    Gone,
    #[error("too many others called while it did not say who it is")]
    Displaced,
}

impl Accepting {
    fn run(mut self) {
        while !self.shared.ended.load(Ordering::SeqCst) {
            if let Err(error) = self.wait().and_then(|()| self.accept()) {
                tracing::debug!("can't accept connections: {error}");
                std::thread::sleep(RETRY_PAUSE);
            }
            for index in (0..self.pending.len()).rev() {
                self.advance(index);
            }
        }
    }

    /// Waits until somebody calls or says something.
    fn wait(&self) -> std::io::Result<()> {
        let pending = self.pending.iter().map(|pending| PollFd::new(&pending.stream, PollFlags::IN));
        let mut watched: Vec<_> = std::iter::once(PollFd::new(&self.listener, PollFlags::IN)).chain(pending).collect();
        let timeout = Timespec::try_from(LOOK_EVERY).ok();
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Accepts the connections that wait. Once there are too many, one is closed for each.
    fn accept(&mut self) -> std::io::Result<()> {
        for _ in 0..MAX_ACCEPTED_IN_A_ROW {
            let (stream, from) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let handshake = Listening::new(rand::random());
            self.pending.push(Pending { stream, from, since: Instant::now(), handshake });
            // Its first frame may be here already.
            self.advance(self.pending.len() - 1);
            if self.pending.len() > MAX_PENDING {
                let callers: Vec<_> = self.pending.iter().map(Pending::caller).collect();
                let displaced = first_to_displace(&callers, &self.shared.member_addresses.lock());
                self.close(displaced, Closed::Displaced);
            }
        }
        Ok(())
    }

    /// Goes on with a handshake as far as its bytes have come. The connection is pending no more if that completes it or
    /// shows that it never will be.
    fn advance(&mut self, index: usize) {
        let pending = &mut self.pending[index];
        match pending.advance(&self.shared.membership) {
            Ok(Some((call, welcome))) => self.welcome(index, call, &welcome),
            Ok(None) if pending.since.elapsed() >= HANDSHAKE_TIMEOUT => self.close(index, Closed::Silent),
            Ok(None) => {}
            Err(why) => self.close(index, why),
        }
    }

    fn welcome(&mut self, index: usize, call: Call, welcome: &Welcome) {
        let Pending { mut stream, from, .. } = self.pending.remove(index);
        let sent = stream.set_nonblocking(false).and_then(|()| stream.write_all(welcome));
        if let Err(error) = sent {
            tracing::debug!("process {} called from {from} and went away: {error}", call.process);
            return;
        }
        let mut accepted = self.shared.accepted.lock();
        accepted.retain(|(earlier, _)| *earlier != call);
        accepted.push((call, stream));
        self.shared.arrived.notify_all();
    }

    fn close(&mut self, index: usize, why: Closed) {
        let Pending { mut stream, from, .. } = self.pending.remove(index);
        if let Closed::Refused(Refused::Rejected(rejection)) = why
            && let Err(error) = stream.write_all(&[rejection.byte()])
        {
            tracing::debug!("a caller that is rejected does not hear why: {error}");
        }
        self.log.note(from, why);
    }
}

impl Pending {
    /// Takes what has come and answers it. Once the handshake is complete: who calls, and the last frame for it.
    fn advance(&mut self, membership: &Membership) -> Result<Option<(Call, Welcome)>, Closed> {
        loop {
            let mut bytes = [0; READ_BYTES];
            let read = match self.stream.read(&mut bytes) {
                Ok(0) => return Err(Closed::Gone),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(Closed::Gone),
            };
            match self.handshake.receive(&bytes[..read], membership)? {
                None => {}
                Some(Reply::Challenge(frame)) => self.send(&frame)?,
                // Nobody is to be connected with a process that is gone.
                Some(Reply::Welcome(..)) if self.is_gone() => return Err(Closed::Gone),
                Some(Reply::Welcome(call, frame)) => return Ok(Some((call, frame))),
            }
        }
    }

    fn caller(&self) -> Caller {
        Caller { address: self.from.ip().to_canonical(), has_said_hello: self.handshake.has_said_hello() }
    }

    /// Sends the first frame on this connection, for which its empty buffer has room.
    fn send(&mut self, frame: &[u8]) -> Result<(), Closed> {
        match self.stream.write(frame) {
            Ok(written) if written == frame.len() => Ok(()),
            _ => Err(Closed::Gone),
        }
    }

    /// Whether the caller has closed the connection.
    fn is_gone(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

/// What decides which pending connection is displaced.
#[derive(Clone, Copy, Debug)]
struct Caller {
    address: IpAddr,
    /// Whether its first frame has come.
    has_said_hello: bool,
}

/// Which of these callers, in the order in which they called, is displaced first: strangers before those at a member's
/// address, one from the address that most call from, one that has not said hello, and the one that had the most time. So many
/// callers from one address displace each other, and no caller from elsewhere.
fn first_to_displace(callers: &[Caller], members: &HashSet<IpAddr>) -> usize {
    let mut from_address: HashMap<IpAddr, usize> = HashMap::new();
    for caller in callers {
        *from_address.entry(caller.address).or_default() += 1;
    }
    let rank = |(index, Caller { address, has_said_hello }): &(usize, &Caller)| {
        (!members.contains(address), from_address[address], !has_said_hello, Reverse(*index))
    };
    callers.iter().enumerate().max_by_key(rank).map_or(0, |(index, _)| index)
}

/// Logs which connections were closed, in a bounded number of lines.
#[derive(Default)]
struct RefusalLog {
    logged: Option<Instant>,
    not_logged: u64,
}

impl RefusalLog {
    fn note(&mut self, from: SocketAddr, why: Closed) {
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_EVERY) {
            self.not_logged += 1;
            return;
        }
        let others = std::mem::take(&mut self.not_logged);
        tracing::warn!("{from} called and was refused: {why} ({others} others since this was last logged)");
        self.logged = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests;
