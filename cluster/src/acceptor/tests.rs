use crate::Secret;
use crate::handshake::{Purpose, call};

use super::*;

/// How long anything may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn secret() -> Secret {
    Secret::new("s")
}

fn acceptor() -> (Acceptor, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let addresses = vec![address.to_string(), "192.0.2.1:2101".to_owned()];
    let membership = Membership { process: 0, addresses, secret: secret(), takeover: LONG };
    (Acceptor::start(listener, &membership).unwrap(), address)
}

fn member(purpose: Purpose) -> Call {
    Call { process: 1, called: 0, processes: 2, purpose }
}

/// Calls as a process of the cluster does, until it is accepted; how long that took.
fn is_accepted(acceptor: &Acceptor, address: SocketAddr) -> Duration {
    let started = Instant::now();
    for purpose in Purpose::ALL {
        let mut stream = TcpStream::connect(address).unwrap();
        while call(&mut stream, member(purpose), &secret(), rand::random()).is_err() {
            assert!(started.elapsed() < LONG);
            stream = TcpStream::connect(address).unwrap();
        }
        acceptor.wait(LONG);
        let accepted = acceptor.take_accepted();
        assert_eq!(accepted.iter().map(|(call, _)| *call).collect::<Vec<_>>(), [member(purpose)]);
    }
    started.elapsed()
}

#[test]
fn nobody_else_keeps_the_cluster_waiting() {
    let (acceptor, address) = acceptor();
    let connect = || TcpStream::connect(address).unwrap();
    // One after the other, each of them would take its two seconds.
    let silent: Vec<_> = (0..40).map(|_| connect()).collect();
    let drips: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"netqoe").unwrap();
            stream
        })
        .collect();
    let garbage: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = connect();
            // It may have been closed meanwhile.
            _ = stream.write_all(&[b'x'; 1 << 10]);
            stream
        })
        .collect();
    let took = is_accepted(&acceptor, address);
    assert!(took < Duration::from_secs(20), "{took:?}, behind {}", silent.len() + drips.len() + garbage.len());
}

#[test]
fn thousands_of_callers_do_not_keep_the_cluster_waiting() {
    let (acceptor, address) = acceptor();
    let over = Arc::new(AtomicBool::new(false));
    let flood = {
        let over = Arc::clone(&over);
        std::thread::spawn(move || {
            let mut connected = std::collections::VecDeque::new();
            while !over.load(Ordering::SeqCst) {
                connected.extend(TcpStream::connect(address));
                if connected.len() > 2 * MAX_PENDING {
                    connected.pop_front();
                }
            }
        })
    };
    is_accepted(&acceptor, address);
    over.store(true, Ordering::SeqCst);
    flood.join().unwrap();
}

#[test]
fn a_caller_that_drips_is_closed_in_the_end() {
    let (_acceptor, address) = acceptor();
    let mut dripping = TcpStream::connect(address).unwrap();
    let started = Instant::now();
    // As slowly as if the time began anew with each byte.
    for byte in b"netqoe-2".iter().copied().chain([0; 38]) {
        if dripping.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    dripping.set_read_timeout(Some(LONG)).unwrap();
    assert!(!matches!(dripping.read(&mut [0]), Ok(1..)));
    assert!(started.elapsed() >= HANDSHAKE_TIMEOUT);
}

#[test]
fn a_process_that_calls_again_is_connected_as_it_called_last() {
    let (acceptor, address) = acceptor();
    let [mut first, mut again] = [(); 2].map(|()| TcpStream::connect(address).unwrap());
    call(&mut first, member(Purpose::Heartbeat), &secret(), rand::random()).unwrap();
    call(&mut again, member(Purpose::Heartbeat), &secret(), rand::random()).unwrap();
    let peers =
        || acceptor.shared.accepted.lock().iter().map(|(_, stream)| stream.peer_addr().unwrap()).collect::<Vec<_>>();
    let started = Instant::now();
    while peers() != [again.local_addr().unwrap()] {
        assert!(started.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a caller has sent once, sent again byte by byte to the same listener, connects nobody.
#[test]
fn a_recorded_handshake_is_refused() {
    let (acceptor, address) = acceptor();
    let recorded = record(address);
    acceptor.wait(LONG);
    assert_eq!(acceptor.take_accepted().len(), 1, "it was good once");

    let mut replayed = TcpStream::connect(address).unwrap();
    replayed.set_read_timeout(Some(LONG)).unwrap();
    let (hello, proof) = recorded.split_at(recorded.len() - 32);
    for byte in hello {
        replayed.write_all(&[*byte]).unwrap();
    }
    replayed.read_exact(&mut [0; 33]).unwrap();
    for byte in proof {
        replayed.write_all(&[*byte]).unwrap();
    }
    let mut answer = Vec::new();
    replayed.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, [crate::Rejection::WrongSecret.byte()]);
    assert!(acceptor.take_accepted().is_empty());
}

/// Hands a good handshake on between a caller and this listener; what the caller has sent.
fn record(address: SocketAddr) -> Vec<u8> {
    let between = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let here = between.local_addr().unwrap();
    let calling = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(here).unwrap();
        call(&mut stream, member(Purpose::Timely), &secret(), rand::random()).unwrap();
        stream
    });
    let (mut caller, _) = between.accept().unwrap();
    let mut listener = TcpStream::connect(address).unwrap();
    let mut recorded = Vec::new();
    for (sent_bytes, answered_bytes) in [(47, 33), (32, 33)] {
        let mut bytes = vec![0; sent_bytes];
        caller.read_exact(&mut bytes).unwrap();
        listener.write_all(&bytes).unwrap();
        recorded.extend(bytes);
        let mut answer = vec![0; answered_bytes];
        listener.read_exact(&mut answer).unwrap();
        caller.write_all(&answer).unwrap();
    }
    drop(calling.join().unwrap());
    recorded
}

#[test]
fn strangers_are_displaced_first_and_callers_from_the_busiest_address() {
    let address = |last: u8| IpAddr::from([10, 0, 0, last]);
    // Those with 100 more have said hello.
    for (callers, members, displaced) in [
        (&[1, 2, 3][..], &[][..], 0),
        (&[1, 2, 3], &[1], 1),
        (&[1, 2, 3, 3, 2, 3], &[], 2),
        (&[1, 1, 1, 2], &[1], 3),
        (&[1, 2, 2, 1, 1], &[1, 2], 0),
        (&[101, 1, 101, 1], &[], 1),
        (&[101, 101, 2], &[], 0),
        (&[101, 2], &[1], 1),
    ] {
        let callers: Vec<_> = callers
            .iter()
            .map(|&number| Caller { address: address(number % 100), has_said_hello: number > 100 })
            .collect();
        let members = members.iter().copied().map(address).collect();
        assert_eq!(first_to_displace(&callers, &members), displaced, "{callers:?}");
    }
}
