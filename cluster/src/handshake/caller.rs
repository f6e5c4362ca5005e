//! The caller's side of a handshake.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::HANDSHAKE_TIMEOUT;
use super::frames::{CHALLENGE, Call, WELCOME};
use super::proof::{NONCE_BYTES, Nonce, PROOF_BYTES, Side, Transcript};
use super::rejection::Rejection;
use crate::Secret;

/// Why a call has not led to a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The listener rejects this process, and would reject it again.
    #[error("{0}")]
    Rejected(Rejection),
    /// The listener does not know the secret: something else has taken the place of the process.
    #[error("it does not prove that it knows the cluster secret; see which program listens there")]
    NotProved,
    /// What comes is not this protocol.
    #[error("it does not answer as netqoe does; see which program listens there")]
    NotUnderstood,
    /// It ended the connection, as an older version of netqoe does.
    #[error("it closed the connection without an answer; see whether it is the same version of netqoe")]
    Closed,
    /// It did not send all of its part in time.
    #[error("it did not answer within {HANDSHAKE_TIMEOUT:?}")]
    Silent,
    /// The connection broke.
    #[error("{0}")]
    Broken(#[from] io::Error),
}

/// Makes this call on a new connection, with a nonce that was never used before. Once it returns, both sides have proved that they
/// know the secret, and the connection has no timeouts.
pub(crate) fn call(stream: &mut TcpStream, call: Call, secret: &Secret, nonce: Nonce) -> Result<(), CallError> {
    let deadline = Instant::now() + HANDSHAKE_TIMEOUT;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(HANDSHAKE_TIMEOUT))?;
    let hello = call.hello(&nonce);
    stream.write_all(&hello.0)?;
    expect(stream, CHALLENGE, deadline)?;
    let transcript = Transcript { hello, nonce: read::<NONCE_BYTES>(stream, deadline)? };
    stream.write_all(&transcript.proof(Side::Caller, secret))?;
    expect(stream, WELCOME, deadline)?;
    let proof = read::<PROOF_BYTES>(stream, deadline)?;
    if !transcript.is_proved(Side::Listener, secret, &proof) {
        return Err(CallError::NotProved);
    }
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    Ok(())
}

/// Reads the first byte of a frame, which is to be this one.
fn expect(stream: &mut TcpStream, expected: u8, deadline: Instant) -> Result<(), CallError> {
    let [first] = read(stream, deadline)?;
    match Rejection::of(first) {
        _ if first == expected => Ok(()),
        Some(rejection) => Err(CallError::Rejected(rejection)),
        None => Err(CallError::NotUnderstood),
    }
}

/// Reads this many bytes by the deadline, however slowly they come.
fn read<const N: usize>(stream: &mut TcpStream, deadline: Instant) -> Result<[u8; N], CallError> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(CallError::Silent);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut bytes[filled..]) {
            Ok(0) => return Err(CallError::Closed),
            Ok(read) => filled += read,
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(CallError::Silent),
                ErrorKind::ConnectionReset => return Err(CallError::Closed),
                _ => return Err(error.into()),
            },
        }
    }
    Ok(bytes)
}
