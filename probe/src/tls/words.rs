//! What went wrong with TLS, whichever stack says it.

use std::io;

/// What ended a handshake, or a connection afterwards.
pub(crate) fn of_io(error: &io::Error) -> String {
    let second = error.get_ref().and_then(|inner| inner.downcast_ref::<s2n_tls::error::Error>());
    second.map_or_else(|| netqoe_tls::of_io(error), super::second_stack::words)
}
