//! The slow link is as slow as it is told to be.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use netqoe_testbed::{Conditions, SlowLink};

const PORT: u16 = 4000;
/// Round trips that are measured before the link is said to be slower than it was told to be.
const ROUND_TRIPS: usize = 500;

/// One round trip of a packet, or `None` where it did not come back in time.
fn round_trip(socket: &UdpSocket) -> Option<Duration> {
    let sent = Instant::now();
    socket.send(b"there and back").unwrap();
    socket.recv(&mut [0; 64]).ok().map(|_| sent.elapsed())
}

#[test]
fn packets_are_delayed_and_lost_as_said() {
    if let Some(reason) = SlowLink::why_not() {
        eprintln!("skipped: {reason}");
        return;
    }
    let link = SlowLink::start(1).unwrap();
    let bind_far = || UdpSocket::bind((SlowLink::FAR, PORT)).unwrap();
    let echo = link.far.run(bind_far).unwrap().join().unwrap().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((length, from)) = echo.recv_from(&mut buffer) {
            echo.send_to(&buffer[..length], from).unwrap();
        }
    });
    let near = || {
        let socket = UdpSocket::bind((SlowLink::NEAR, 0)).unwrap();
        socket.connect((SlowLink::FAR, PORT)).unwrap();
        socket
    };
    let near = link.near.run(near).unwrap().join().unwrap().unwrap();

    link.set(Conditions { delay: Duration::from_millis(40), ..Conditions::default() });
    near.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // A busy machine makes packets late, and never one early: so that one which is prompt is enough.
    let is_prompt = |took: &Duration| *took < Duration::from_millis(83);
    let fastest = (0..ROUND_TRIPS).filter_map(|_| round_trip(&near)).find(is_prompt);
    assert!(fastest >= Some(Duration::from_millis(80)), "{fastest:?}, of {ROUND_TRIPS} round trips");
    assert_eq!(link.dropped(), 0);

    link.set(Conditions { loss: 1.0, ..Conditions::default() });
    near.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(round_trip(&near), None);
    assert_eq!(link.dropped(), 1);
}
