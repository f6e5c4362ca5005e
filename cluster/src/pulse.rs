//! Signs of life between processes, and the little that they must agree on beside timely's own messages: the generation
//! of this start, and how far epochs have come.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use netqoe_dataflow::Epochs;
use netqoe_model::Generation;
use parking_lot::{Condvar, Mutex};

use super::ClusterError;

/// A sign of life is given at least this often: several times within any takeover time that makes sense.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// How long leaving may take to be said: whoever does not hear it sees the connection end.
const FAREWELL: Duration = Duration::from_secs(1);

/// What processes say to each other: a letter and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beat {
    Alive,
    /// The least epoch that the sender can still take.
    Epoch(u64),
    /// Of this start, as process 0 has taken it.
    Generation(i64),
    /// The sender leaves, since it was asked to stop.
    AskedToStop,
    /// The sender leaves, since another cluster has taken over the store.
    TakenOver,
}

const BEAT_BYTES: usize = 9;

impl Beat {
    fn bytes(self) -> [u8; BEAT_BYTES] {
        let (letter, number) = match self {
            Self::Alive => (b'a', 0),
            Self::Epoch(next) => (b'e', next),
            Self::Generation(generation) => (b'g', generation.cast_unsigned()),
            Self::AskedToStop => (b'l', 0),
            Self::TakenOver => (b't', 0),
        };
        let mut bytes = [letter; BEAT_BYTES];
        bytes[1..].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    fn of(bytes: [u8; BEAT_BYTES]) -> Option<Self> {
        let [letter, number @ ..] = bytes;
        let number = u64::from_be_bytes(number);
        match letter {
            b'a' => Some(Self::Alive),
            b'e' => Some(Self::Epoch(number)),
            b'g' => Some(Self::Generation(number.cast_signed())),
            b'l' => Some(Self::AskedToStop),
            b't' => Some(Self::TakenOver),
            _ => None,
        }
    }
}

/// A process that works with us no more. This one must end too: a cluster works as a whole, or starts again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("process {process} of the cluster is lost: {how}; {}", how.what_to_do())]
pub struct Lost {
    /// Which.
    pub process: usize,
    /// How that was noticed.
    pub how: Loss,
}

/// How a process is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// No sign of life came for the takeover time.
    #[error("it gives no sign of life")]
    Silent,
    /// It has closed the connection.
    #[error("it has ended")]
    Ended,
    /// The connection broke.
    #[error("it can't be heard: {0}")]
    Unheard(String),
    /// It sends what is no message.
    #[error("what it says is not understood")]
    NotUnderstood,
    /// As it said itself. What was read can still be committed.
    #[error("it was asked to stop")]
    AskedToStop,
    /// As it said itself. Nothing more can be committed.
    #[error("another cluster has taken over the store")]
    TakenOver,
}

impl Loss {
    fn what_to_do(&self) -> &'static str {
        match self {
            Self::TakenOver => "run only one of them",
            _ => "start all of them again",
        }
    }

    /// What is said to the others by a process that leaves in this way.
    fn farewell(&self) -> Option<Beat> {
        match self {
            Self::AskedToStop => Some(Beat::AskedToStop),
            Self::TakenOver => Some(Beat::TakenOver),
            Self::Silent | Self::Ended | Self::Unheard(_) | Self::NotUnderstood => None,
        }
    }
}

/// The pulse of this process and of all others.
pub struct Pulse {
    shared: Arc<Shared>,
    generations: Receiver<Generation>,
    lost: Receiver<Lost>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What this process has to say of epochs, and where what others say of them goes.
    epochs: Option<Arc<Epochs>>,
    /// The most that each process is known to have passed.
    known: Vec<u64>,
    generation: Option<Generation>,
    farewell: Option<Beat>,
    /// Processes that were told so.
    farewells: usize,
}

impl Pulse {
    /// Begins to give signs of life, and to look for those of the others: `connections` by process, none for this one.
    pub(crate) fn start(
        process: usize,
        connections: Vec<Option<TcpStream>>,
        takeover: Duration,
    ) -> Result<Self, ClusterError> {
        let state = State { known: vec![0; connections.len()], ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let (generation, generations) = unbounded();
        let (lose, lost) = unbounded();
        for (other, stream) in connections.into_iter().enumerate() {
            let Some(stream) = stream else { continue };
            let cant_watch = |source| ClusterError::Watch { process: other, source };
            stream.set_read_timeout(Some(takeover)).map_err(cant_watch)?;
            stream.set_write_timeout(Some(takeover)).map_err(cant_watch)?;
            let writing = stream.try_clone().map_err(cant_watch)?;
            let (beating, listening) = (Arc::clone(&shared), Arc::clone(&shared));
            let (lose, generation) = (lose.clone(), generation.clone());
            spawn(format!("pulse-to-{other}"), move || beating.beat(writing, other))?;
            spawn(format!("pulse-of-{other}"), move || {
                let how = listening.listen(stream, other, &generation);
                tracing::debug!("process {process} has lost process {other}: {how}");
                tell(&lose, Lost { process: other, how });
            })?;
        }
        Ok(Self { shared, generations, lost })
    }

    /// The generation of this start, once process 0 has said it; none once `given_up` says so or a process is lost.
    pub fn generation(&self, given_up: impl Fn() -> bool) -> Option<Generation> {
        while !given_up() && self.lost.is_empty() {
            if let Ok(generation) = self.generations.recv_timeout(BEAT_EVERY) {
                return Some(generation);
            }
        }
        None
    }

    /// Says the generation of this start to all.
    pub fn announce(&self, generation: Generation) {
        self.shared.state.lock().generation = Some(generation);
        self.shared.changed.notify_all();
    }

    /// From now on these epochs and those of the other processes hurry each other on.
    pub fn carry(&self, epochs: &Arc<Epochs>) {
        let furthest = {
            let mut state = self.shared.state.lock();
            state.epochs = Some(Arc::clone(epochs));
            state.known.iter().copied().max().unwrap_or_default()
        };
        let shared: Weak<Shared> = Arc::downgrade(&self.shared);
        epochs.on_take(Box::new(move || {
            if let Some(shared) = shared.upgrade() {
                // Taken and let go, so that nobody is between looking at the epochs and waiting.
                drop(shared.state.lock());
                shared.changed.notify_all();
            }
        }));
        epochs.raise_to(furthest);
    }

    /// Tells the others why this process ends, so that they end too, and need not guess why.
    pub fn leave(&self, how: &Loss) {
        let mut state = self.shared.state.lock();
        state.farewell = how.farewell();
        self.shared.changed.notify_all();
        let others = state.known.len().saturating_sub(1);
        let deadline = Instant::now() + FAREWELL;
        while state.farewells < others && !self.shared.changed.wait_until(&mut state, deadline).timed_out() {}
    }

    /// The processes that are lost, as that is noticed.
    pub fn lost(&self) -> Receiver<Lost> {
        self.lost.clone()
    }
}

impl Shared {
    /// Says to `other` what it does not know yet, and at least that this process lives.
    fn beat(&self, mut stream: TcpStream, other: usize) {
        let (mut told_epoch, mut told_generation) = (0, false);
        loop {
            let mut beats = vec![Beat::Alive];
            let mut state = self.state.lock();
            let nothing_new = |state: &State| {
                let next = state.epochs.as_ref().map_or(0, |epochs| epochs.next());
                next <= told_epoch.max(state.known[other])
                    && (told_generation || state.generation.is_none())
                    && state.farewell.is_none()
            };
            if nothing_new(&state) {
                self.changed.wait_for(&mut state, BEAT_EVERY);
            }
            if let Some(generation) = state.generation.filter(|_| !told_generation) {
                told_generation = true;
                beats.push(Beat::Generation(generation.0));
            }
            let next = state.epochs.as_ref().map_or(0, |epochs| epochs.next());
            if next > told_epoch.max(state.known[other]) {
                told_epoch = next;
                beats.push(Beat::Epoch(next));
            }
            let farewell = state.farewell;
            drop(state);
            beats.extend(farewell);
            let bytes: Vec<u8> = beats.into_iter().flat_map(Beat::bytes).collect();
            // Where it can't be said any more, the one who listens to that process notices it too.
            if stream.write_all(&bytes).is_err() || farewell.is_some() {
                self.state.lock().farewells += 1;
                self.changed.notify_all();
                return;
            }
        }
    }

    /// Takes in what `other` says, until it says nothing any more.
    fn listen(&self, mut stream: TcpStream, other: usize, generations: &Sender<Generation>) -> Loss {
        loop {
            let mut bytes = [0; BEAT_BYTES];
            if let Err(error) = stream.read_exact(&mut bytes) {
                return match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => Loss::Silent,
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => Loss::Ended,
                    _ => Loss::Unheard(error.to_string()),
                };
            }
            match Beat::of(bytes) {
                Some(Beat::Alive) => {}
                Some(Beat::Epoch(next)) => self.take_in(other, next),
                Some(Beat::Generation(generation)) => tell(generations, Generation(generation)),
                Some(Beat::AskedToStop) => return Loss::AskedToStop,
                Some(Beat::TakenOver) => return Loss::TakenOver,
                None => return Loss::NotUnderstood,
            }
        }
    }

    fn take_in(&self, other: usize, next: u64) {
        let epochs = {
            let mut state = self.state.lock();
            state.known[other] = state.known[other].max(next);
            state.epochs.clone()
        };
        // Not while the state is locked: raising wakes whoever looks at it.
        if let Some(epochs) = epochs {
            epochs.raise_to(next);
        }
    }
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<(), ClusterError> {
    std::thread::Builder::new().name(name).spawn(work).map_err(ClusterError::Thread)?;
    Ok(())
}

/// Says it to whoever still listens.
fn tell<T>(to: &Sender<T>, what: T) {
    if to.send(what).is_err() {
        tracing::debug!("nobody listens to the pulse any more");
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn pair(takeover: Duration) -> (Pulse, Pulse) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let calling = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (called, _) = listener.accept().unwrap();
        let first = Pulse::start(0, vec![None, Some(calling)], takeover).unwrap();
        (first, Pulse::start(1, vec![Some(called), None], takeover).unwrap())
    }

    fn eventually(is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_beat_comes_back_as_it_was() {
        for beat in [Beat::Alive, Beat::Epoch(u64::MAX), Beat::Generation(-7), Beat::AskedToStop, Beat::TakenOver] {
            assert_eq!(Beat::of(beat.bytes()), Some(beat));
        }
        assert_eq!(Beat::of([b'x'; BEAT_BYTES]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_beat_or_none(letter in proptest::sample::select(b"aeglt?\0".to_vec()), number: [u8; 8]) {
            let mut bytes = [letter; BEAT_BYTES];
            bytes[1..].copy_from_slice(&number);
            let beat = Beat::of(bytes);
            prop_assert_eq!(beat.is_some(), b"aeglt".contains(&letter));
            if let Some(beat @ (Beat::Epoch(_) | Beat::Generation(_))) = beat {
                prop_assert_eq!(beat.bytes(), bytes);
            }
        }
    }

    #[test]
    fn epochs_hurry_each_other_on_in_both_directions() {
        let (one, two) = pair(PATIENCE);
        let (here, there) = (Arc::new(Epochs::default()), Arc::new(Epochs::default()));
        here.take();
        one.carry(&here);
        eventually(|| two.shared.state.lock().known[0] == 1);
        two.carry(&there);
        assert_eq!(there.next(), 1, "what was said before is not lost");
        for _ in 0..1000 {
            there.take();
        }
        eventually(|| here.next() == 1001);
        here.take();
        eventually(|| there.next() == 1002);
    }

    #[test]
    fn the_generation_is_what_process_0_says() {
        let (one, two) = pair(PATIENCE);
        assert_eq!(two.generation(|| true), None);
        one.announce(Generation(7));
        assert_eq!(two.generation(|| false), Some(Generation(7)));
    }

    #[test]
    fn who_leaves_says_so_and_who_falls_silent_is_noticed() {
        for (how, what_to_do) in [(Loss::AskedToStop, "start all of them again"), (Loss::TakenOver, "run only one")] {
            let (one, two) = pair(PATIENCE);
            one.leave(&how);
            let lost = two.lost().recv_timeout(PATIENCE).unwrap();
            assert!(lost.to_string().contains(what_to_do), "{lost}");
            assert_eq!(lost, Lost { process: 0, how });
        }

        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let alone = Pulse::start(0, vec![None, Some(listener.accept().unwrap().0)], BEAT_EVERY).unwrap();
        assert_eq!(alone.lost().recv_timeout(PATIENCE).unwrap().how, Loss::Silent);
        drop(silent);
    }
}
