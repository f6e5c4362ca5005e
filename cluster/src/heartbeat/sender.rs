//! Sends heartbeats to one other process.

use std::io::Write;
use std::net::TcpStream;

use super::message::Message;
use super::news::Told;
use super::{HEARTBEAT_EVERY, Shared};

/// Sends `other` what it does not know yet, and at least that this process lives, until this process leaves or the
/// connection breaks.
pub(super) fn run(shared: &Shared, mut stream: TcpStream, other: usize) {
    let mut told = Told::default();
    loop {
        let mut state = shared.state.lock();
        let mut news = state.news.for_process(other, &mut told);
        if news.is_empty() {
            shared.changed.wait_for(&mut state, HEARTBEAT_EVERY);
            news = state.news.for_process(other, &mut told);
        }
        let leaves = state.news.farewell.is_some();
        drop(state);
        let messages = std::iter::once(Message::Alive).chain(news);
        let bytes: Vec<u8> = messages.flat_map(Message::bytes).collect();
        // Where it can't be sent any more, the receiver of that process notices it too.
        if stream.write_all(&bytes).is_err() || leaves {
            shared.state.lock().farewells += 1;
            shared.changed.notify_all();
            return;
        }
    }
}
