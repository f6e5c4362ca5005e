//! Who calls the meeting port. All callers are heard at the same time, on a thread of its own: nobody who is silent,
//! slow or another program keeps one from being heard that belongs to the group.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::hello::{HELLO_BYTES, Hello, PATIENCE, Refusal, welcome};
use super::{ClusterError, Membership, SAY_EVERY};

/// Callers that are heard at the same time: many more than a group has processes, and a quarter of the file descriptors
/// that a process may have by default.
const MAX_CALLERS: usize = 256;
/// Callers that are taken before those that are there are heard again.
const TAKEN_AT_ONCE: usize = 64;
/// How soon it is noticed that nobody is wanted any more, or that a caller was silent for too long.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long to wait where callers can't be taken, for lack of file descriptors.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// Hears callers for as long as it lives.
pub(crate) struct Callers {
    shared: Arc<Shared>,
    hearing: Option<JoinHandle<()>>,
}

struct Shared {
    membership: Membership,
    /// Addresses from which the processes after this one are expected.
    known: Mutex<HashSet<IpAddr>>,
    /// Who belongs to the group, and was not asked for yet: the last one of each process and purpose.
    welcome: Mutex<Vec<(Hello, TcpStream)>>,
    arrived: Condvar,
    ended: AtomicBool,
}

impl Callers {
    /// Begins to hear who calls there. The listener does not block.
    pub(crate) fn hear(listener: TcpListener, membership: &Membership) -> Result<Self, ClusterError> {
        let shared = Arc::new(Shared {
            membership: membership.clone(),
            known: Mutex::default(),
            welcome: Mutex::default(),
            arrived: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let hearing =
            Hearing { shared: Arc::clone(&shared), listener, callers: Vec::new(), sent_away: SentAway::default() };
        let thread = std::thread::Builder::new().name("callers".to_owned()).spawn(move || hearing.run());
        let thread = thread.map_err(ClusterError::Thread)?;
        Ok(Self { shared, hearing: Some(thread) })
    }

    /// Looks up from where the processes after this one call: they go before others where too many call.
    pub(crate) fn know(&self) {
        let Membership { process, addresses, .. } = &self.shared.membership;
        let later = addresses.iter().skip(process + 1);
        let known = later.filter_map(|address| address.to_socket_addrs().ok()).flatten();
        let known = known.map(|socket| socket.ip().to_canonical()).collect();
        *self.shared.known.lock() = known;
    }

    /// Those of the group that have called since this was last asked.
    pub(crate) fn welcome(&self) -> Vec<(Hello, TcpStream)> {
        std::mem::take(&mut self.shared.welcome.lock())
    }

    /// Waits until one of the group has called, or for so long.
    pub(crate) fn wait(&self, at_most: Duration) {
        let mut welcome = self.shared.welcome.lock();
        if welcome.is_empty() {
            self.shared.arrived.wait_for(&mut welcome, at_most);
        }
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if self.hearing.take().is_some_and(|hearing| hearing.join().is_err()) {
            tracing::error!("the thread that hears other processes panicked");
        }
    }
}

/// What the thread works on.
struct Hearing {
    shared: Arc<Shared>,
    listener: TcpListener,
    callers: Vec<Caller>,
    sent_away: SentAway,
}

/// Somebody who has not said all of who it is.
struct Caller {
    stream: TcpStream,
    from: SocketAddr,
    since: Instant,
    said: Vec<u8>,
}

impl Hearing {
    fn run(mut self) {
        while !self.shared.ended.load(Ordering::SeqCst) {
            if let Err(error) = self.wait().and_then(|()| self.take()) {
                tracing::debug!("can't take callers: {error}");
                std::thread::sleep(RETRY_PAUSE);
            }
            self.listen();
        }
    }

    /// Waits until somebody calls or says something.
    fn wait(&self) -> std::io::Result<()> {
        let callers = self.callers.iter().map(|caller| PollFd::new(&caller.stream, PollFlags::IN));
        let mut watched: Vec<_> = std::iter::once(PollFd::new(&self.listener, PollFlags::IN)).chain(callers).collect();
        let timeout = Timespec::try_from(LOOK_EVERY).ok();
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes those who have called. Where they are too many, one is let go for each.
    fn take(&mut self) -> std::io::Result<()> {
        for _ in 0..TAKEN_AT_ONCE {
            let (stream, from) = match self.listener.accept() {
                Ok(called) => called,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            self.callers.push(Caller { stream, from, since: Instant::now(), said: Vec::with_capacity(HELLO_BYTES) });
            // It may have said all of it with its call.
            let newest = self.callers.len() - 1;
            self.hear(newest);
            if self.callers.len() > MAX_CALLERS {
                let addresses: Vec<_> = self.callers.iter().map(|caller| caller.from.ip().to_canonical()).collect();
                let last = heard_last(&addresses, &self.shared.known.lock());
                self.send_away(last, Refusal::Displaced);
            }
        }
        Ok(())
    }

    /// Hears what callers have said.
    fn listen(&mut self) {
        for index in (0..self.callers.len()).rev() {
            self.hear(index);
        }
    }

    /// Hears what a caller has said. It is none any more afterwards where that is all, or it can't become anything.
    fn hear(&mut self, index: usize) {
        let heard = self.callers[index].hear().and_then(|()| {
            let caller = &self.callers[index];
            match Hello::parse(&caller.said, &self.shared.membership)? {
                // It would be connected with nobody.
                Some(_) if caller.is_gone() => Err(Refusal::Gone),
                Some(hello) => Ok(Some(hello)),
                None if caller.since.elapsed() >= PATIENCE => Err(Refusal::Silent),
                None => Ok(None),
            }
        });
        match heard {
            Ok(None) => {}
            Ok(Some(hello)) => self.welcome(index, hello),
            Err(refusal) => self.send_away(index, refusal),
        }
    }

    fn welcome(&mut self, index: usize, hello: Hello) {
        let Caller { mut stream, from, .. } = self.callers.remove(index);
        if let Err(error) = welcome(&mut stream) {
            tracing::debug!("process {} called from {from} and went away: {error}", hello.process);
            return;
        }
        let mut welcome = self.shared.welcome.lock();
        welcome.retain(|(earlier, _)| *earlier != hello);
        welcome.push((hello, stream));
        self.shared.arrived.notify_all();
    }

    fn send_away(&mut self, index: usize, refusal: Refusal) {
        // Kept in the order in which they called.
        let Caller { stream, from, .. } = self.callers.remove(index);
        refusal.tell(stream);
        self.sent_away.note(from, refusal);
    }
}

impl Caller {
    /// Takes in what it has said so far.
    fn hear(&mut self) -> Result<(), Refusal> {
        let mut bytes = [0; HELLO_BYTES];
        while self.said.len() < HELLO_BYTES {
            match self.stream.read(&mut bytes[self.said.len()..]) {
                Ok(0) => return Err(Refusal::Gone),
                Ok(read) => {
                    let start = self.said.len();
                    self.said.extend_from_slice(&bytes[start..start + read]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Refusal::Gone),
            }
        }
        Ok(())
    }

    /// Whether it has closed the connection.
    fn is_gone(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

/// Which of these callers, in the order in which they called, is let go first: strangers before those whose address is
/// known, one from whose address the most call, and the one who had the most time. So many from one address displace
/// each other, and not who calls from elsewhere.
fn heard_last(addresses: &[IpAddr], known: &HashSet<IpAddr>) -> usize {
    let mut from_address: HashMap<IpAddr, usize> = HashMap::new();
    for address in addresses {
        *from_address.entry(*address).or_default() += 1;
    }
    let rank =
        |(index, address): &(usize, &IpAddr)| (!known.contains(*address), from_address[*address], Reverse(*index));
    addresses.iter().enumerate().max_by_key(rank).map_or(0, |(index, _)| index)
}

/// Says who was sent away, however many that are.
#[derive(Default)]
struct SentAway {
    said: Option<Instant>,
    unsaid: u64,
}

impl SentAway {
    fn note(&mut self, from: SocketAddr, refusal: Refusal) {
        if self.said.is_some_and(|said| said.elapsed() < SAY_EVERY) {
            self.unsaid += 1;
            return;
        }
        let others = std::mem::take(&mut self.unsaid);
        tracing::warn!("{from} called and was sent away: {refusal} ({others} others since this was last said)");
        self.said = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::hello::{Purpose, Secret};
    use super::*;

    /// How long anything may take on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    fn membership(address: &str) -> Membership {
        Membership {
            process: 0,
            addresses: vec![address.to_owned(), "192.0.2.1:2101".to_owned()],
            secret: Secret::new("s"),
            takeover: LONG,
        }
    }

    fn callers() -> (Callers, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        (Callers::hear(listener, &membership(&address.to_string())).unwrap(), address)
    }

    fn hello(purpose: Purpose) -> Hello {
        Hello { process: 1, processes: 2, purpose }
    }

    /// Calls as a process of the group does, until it is welcome; how long that took.
    fn is_welcome(callers: &Callers, address: SocketAddr) -> Duration {
        let started = Instant::now();
        for purpose in Purpose::ALL {
            let mut stream = TcpStream::connect(address).unwrap();
            while hello(purpose).say(&mut stream, &Secret::new("s")).is_err() {
                assert!(started.elapsed() < LONG);
                stream = TcpStream::connect(address).unwrap();
            }
            callers.wait(LONG);
            let heard = callers.welcome();
            assert_eq!(heard.iter().map(|(hello, _)| *hello).collect::<Vec<_>>(), [hello(purpose)]);
        }
        started.elapsed()
    }

    #[test]
    fn nobody_else_keeps_the_group_waiting() {
        let (callers, address) = callers();
        let call = || TcpStream::connect(address).unwrap();
        // One after the other, each of them would take its two seconds.
        let silent: Vec<_> = (0..40).map(|_| call()).collect();
        let drips: Vec<_> = (0..40)
            .map(|_| {
                let mut stream = call();
                stream.write_all(b"netqoe").unwrap();
                stream
            })
            .collect();
        let garbage: Vec<_> = (0..40)
            .map(|_| {
                let mut stream = call();
                // It may have been sent away meanwhile.
                _ = stream.write_all(&[b'x'; 1 << 10]);
                stream
            })
            .collect();
        let took = is_welcome(&callers, address);
        assert!(took < Duration::from_secs(20), "{took:?}, behind {}", silent.len() + drips.len() + garbage.len());
    }

    #[test]
    fn thousands_of_callers_do_not_keep_the_group_waiting() {
        let (callers, address) = callers();
        let over = Arc::new(AtomicBool::new(false));
        let flood = {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                let mut called = std::collections::VecDeque::new();
                while !over.load(Ordering::SeqCst) {
                    called.extend(TcpStream::connect(address));
                    if called.len() > 2 * MAX_CALLERS {
                        called.pop_front();
                    }
                }
            })
        };
        is_welcome(&callers, address);
        over.store(true, Ordering::SeqCst);
        flood.join().unwrap();
    }

    #[test]
    fn who_drips_or_is_silent_is_sent_away_in_the_end() {
        let (_callers, address) = callers();
        let mut dripping = TcpStream::connect(address).unwrap();
        let secret = Secret::new("s");
        let started = Instant::now();
        // As slowly as if the time began anew with each byte.
        for byte in hello(Purpose::Pulse).bytes(&secret).unwrap() {
            if dripping.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        dripping.set_read_timeout(Some(LONG)).unwrap();
        assert!(!matches!(dripping.read(&mut [0]), Ok(1..)));
        assert!(started.elapsed() >= PATIENCE);
    }

    #[test]
    fn a_process_that_calls_again_is_connected_as_it_called_last() {
        let (callers, address) = callers();
        let [mut first, mut again] = [(); 2].map(|()| TcpStream::connect(address).unwrap());
        hello(Purpose::Pulse).say(&mut first, &Secret::new("s")).unwrap();
        hello(Purpose::Pulse).say(&mut again, &Secret::new("s")).unwrap();
        let peers =
            || callers.shared.welcome.lock().iter().map(|(_, stream)| stream.peer_addr().unwrap()).collect::<Vec<_>>();
        let started = Instant::now();
        while peers() != [again.local_addr().unwrap()] {
            assert!(started.elapsed() < LONG);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn strangers_are_let_go_first_and_those_of_the_address_with_the_most() {
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        for (addresses, known, last) in [
            (&[1, 2, 3][..], &[][..], 0),
            (&[1, 2, 3], &[1], 1),
            (&[1, 2, 3, 3, 2, 3], &[], 2),
            (&[1, 1, 1, 2], &[1], 3),
            (&[1, 2, 2, 1, 1], &[1, 2], 0),
        ] {
            let addresses: Vec<_> = addresses.iter().copied().map(address).collect();
            let known = known.iter().copied().map(address).collect();
            assert_eq!(heard_last(&addresses, &known), last, "{addresses:?}");
        }
    }
}
