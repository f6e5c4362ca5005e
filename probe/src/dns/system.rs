//! The system's own lookup: with its caches, its order of servers, its waits, and whatever else `nsswitch.conf` names.

use std::net::ToSocketAddrs;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Family;
use crate::clock::Clock;
use crate::{HostAddress, Span};

/// The system's lookups can't be given up and may take half a minute each, on a thread of its own. With more than these
/// under way a measurement goes without, unless the name servers do not know the name.
static PERMITS: Semaphore = Semaphore::const_new(8);

/// What the system said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemLookup {
    /// How long it took.
    pub span: Span,
    /// The addresses, or why there are none.
    pub outcome: Result<Vec<HostAddress>, String>,
}

impl SystemLookup {
    /// Those of the families that are wanted, the preferred first.
    pub(super) fn of_families(&self, families: &[Family]) -> Vec<HostAddress> {
        let all = self.outcome.as_deref().unwrap_or_default();
        families.iter().flat_map(|family| all.iter().copied().filter(|address| family.holds(address.ip))).collect()
    }
}

/// The question to the system, under way or answered.
pub(super) struct SystemQuestion {
    host: String,
    clock: Clock,
    asked: Option<JoinHandle<SystemLookup>>,
    answer: Option<SystemLookup>,
}

impl SystemQuestion {
    /// Asks the system, beside our own questions; not where too many such questions are under way.
    pub(super) fn begin(host: &str, clock: Clock) -> Self {
        let asked = PERMITS.try_acquire().ok().map(|permit| ask(host, clock, permit));
        Self { host: host.to_owned(), clock, asked, answer: None }
    }

    /// Its answer; asks now where that was not possible before.
    pub(super) async fn answer(&mut self) -> Option<&SystemLookup> {
        if self.answer.is_none() {
            if self.asked.is_none() {
                let permit = PERMITS.acquire().await.ok()?;
                self.asked = Some(ask(&self.host, self.clock, permit));
            }
            self.answer = self.answer_begun().await;
        }
        self.answer.as_ref()
    }

    /// Its answer, if it was asked.
    pub(super) async fn answer_begun(&mut self) -> Option<SystemLookup> {
        match (&self.answer, &mut self.asked) {
            (Some(answer), _) => Some(answer.clone()),
            (None, Some(asked)) => {
                let answer = asked.await.ok();
                self.asked = None;
                self.answer.clone_from(&answer);
                answer
            }
            (None, None) => None,
        }
    }

    /// Returns once the system knows addresses of these families, and not before `at`.
    pub(super) async fn known(&mut self, families: &[Family], at: Instant) {
        match self.answer_begun().await {
            Some(answer) if !answer.of_families(families).is_empty() => sleep_until(at).await,
            _ => std::future::pending().await,
        }
    }
}

fn ask(host: &str, clock: Clock, permit: SemaphorePermit<'static>) -> JoinHandle<SystemLookup> {
    let host = host.to_owned();
    tokio::task::spawn_blocking(move || {
        let start = clock.now();
        let found = (host.as_str(), 0).to_socket_addrs();
        let span = clock.since(start);
        drop(permit);
        let outcome = found.map_err(|error| error.to_string()).map(|found| {
            let mut addresses: Vec<HostAddress> = Vec::new();
            for address in found.map(HostAddress::from) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            addresses
        });
        SystemLookup { span, outcome }
    })
}
