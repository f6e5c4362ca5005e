//! The system's own lookup, as a second figure: with its caches, its order of servers, and its waits.

use std::net::{IpAddr, ToSocketAddrs};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Span;
use crate::clock::Clock;

/// The system's lookups can't be given up and may take half a minute each, on a thread of its own. With more than these
/// under way a measurement goes without.
static PERMITS: Semaphore = Semaphore::const_new(8);

/// What the system said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemLookup {
    /// How long it took.
    pub span: Span,
    /// The addresses, or why there are none.
    pub outcome: Result<Vec<IpAddr>, String>,
}

/// Asks the system, beside our own questions. `None` where too many such questions are under way.
pub(super) fn ask(host: &str, clock: Clock) -> Option<JoinHandle<SystemLookup>> {
    let permit = PERMITS.try_acquire().ok()?;
    let host = host.to_owned();
    Some(tokio::task::spawn_blocking(move || {
        let start = clock.now();
        let found = (host.as_str(), 0).to_socket_addrs();
        let span = clock.since(start);
        drop(permit);
        let outcome = found.map_err(|error| error.to_string()).map(|addresses| {
            let mut addresses: Vec<_> = addresses.map(|address| address.ip()).collect();
            addresses.dedup();
            addresses
        });
        SystemLookup { span, outcome }
    }))
}
