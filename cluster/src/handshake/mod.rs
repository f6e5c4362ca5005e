//! How a connection between two processes begins: each side proves to the other that it knows the cluster's secret.
//!
//! ```text
//! caller                                                  listener
//!   Hello: version, nonce, who calls whom, what for  ──▶
//!                                                    ◀──  Challenge: nonce
//!   Proof: MAC of the caller                         ──▶  checks the proof, then who calls
//!                                                    ◀──  Welcome: MAC of the listener
//!   checks the proof
//! ```
//!
//! Both MACs are HMAC-SHA256 with the secret as the key, over the side that speaks, the whole `Hello` and the listener's
//! nonce. What follows from that:
//!
//! 1. Both nonces are fresh, so a proof that was recorded is worth nothing on another connection, to either side.
//! 2. A proof names its side, so a proof that is sent back to its sender is worth nothing.
//! 3. A proof covers who calls whom, how many processes there are and what the connection is for, so none of these can be
//!    changed on the way, and a proof that was meant for one process is worth nothing at another.
//! 4. The caller proves first, so a stranger that connects is sent nothing that was computed with the secret, and does not
//!    learn which processes there are.
//!
//! Frames have fixed sizes, and neither side sends a frame before it has the one before it. A listener reads no more than a
//! frame and a byte, and either side gives the other [`HANDSHAKE_TIMEOUT`] for all of it.
//!
//! What is sent after the handshake is neither encrypted nor authenticated: an attacker who can change packets on the way
//! lets the handshake pass and forges what follows. So the processes belong in a network of their own.
//!
//! Decision: D-079.

mod caller;
mod frames;
mod listener;
mod proof;
mod rejection;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use caller::{CallError, call};
pub(crate) use frames::{Call, Purpose, Welcome};
pub(crate) use listener::{Listening, Refused, Reply};
pub use rejection::Rejection;

/// How long the other side may take for the whole handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
