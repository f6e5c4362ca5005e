//! Receives the heartbeats of one other process, and notices when it is lost.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use crossbeam_channel::Sender;
use netqoe_model::Generation;

use super::message::{MESSAGE_BYTES, Message};
use super::{Loss, Shared};

/// Takes what `other` tells, until it is lost: how. The stream's read timeout is how long it may be silent.
pub(super) fn run(shared: &Shared, mut stream: TcpStream, other: usize, generations: &Sender<Generation>) -> Loss {
    loop {
        let mut bytes = [0; MESSAGE_BYTES];
        if let Err(error) = stream.read_exact(&mut bytes) {
            return match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Loss::Silent,
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => Loss::Ended,
                _ => Loss::Broken(error.to_string()),
            };
        }
        match Message::parse(bytes) {
            Some(Message::Alive) => {}
            Some(Message::Epoch(next)) => raise_epoch(shared, other, next),
            Some(Message::Generation(generation)) => report(generations, Generation(generation)),
            Some(Message::AskedToStop) => return Loss::AskedToStop,
            Some(Message::TakenOver) => return Loss::TakenOver,
            None => return Loss::NotUnderstood,
        }
    }
}

fn raise_epoch(shared: &Shared, other: usize, next: u64) {
    let epochs = {
        let mut state = shared.state.lock();
        state.news.has_reached(other, next);
        state.news.epochs.clone()
    };
    // Not while the state is locked: raising wakes those who look at it.
    if let Some(epochs) = epochs {
        epochs.raise_to(next);
    }
}

/// Reports this to the owner of the heartbeat, if it is still there.
pub(super) fn report<T>(to: &Sender<T>, what: T) {
    if to.send(what).is_err() {
        tracing::debug!("the heartbeat is used no more");
    }
}
