//! The DNS phase: the addresses of a name, never from a cache of ours.
//!
//! All name servers are asked at once, each for A and AAAA apart. The phase ends with the first server that has
//! answered both; the others answer while the measurement goes on, each on a task of its own, so that their times are
//! theirs.

mod answer;
mod servers;
mod system;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout_at;

use crate::clock::{Clock, Span};
use crate::{Failure, NameServers};
pub use answer::{DnsAnswer, DnsOutcome, Family};
use answer::{Verdict, judge};
use servers::{NameServer, from_hosts_file, name_servers};
pub use system::SystemLookup;

/// How long after its question a server's answer is still waited for, when the measurement is over before.
const STRAGGLERS: Duration = Duration::from_secs(1);

/// What a lookup has found besides the addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsEvidence {
    /// Each server's answers, in the order in which they came; those that did not come are last.
    pub answers: Vec<DnsAnswer>,
    /// What the system's own lookup said, where it was asked and has answered.
    pub system: Option<SystemLookup>,
}

/// A lookup under way.
pub(crate) struct Lookup {
    host: String,
    clock: Clock,
    families: Vec<Family>,
    servers: Vec<SocketAddr>,
    answers: Vec<DnsAnswer>,
    questions: JoinSet<DnsAnswer>,
    /// What the hosts file says, and how long it took to look there.
    known: Option<(Vec<IpAddr>, Span)>,
    system: Option<JoinHandle<SystemLookup>>,
}

impl Lookup {
    /// Asks for the addresses of `host`. Preparing the questions is in no phase.
    pub(crate) fn start(host: &str, families: &[Family], asked: &NameServers, clock: Clock) -> Result<Self, Failure> {
        let mut lookup = Self {
            host: host.to_owned(),
            clock,
            families: families.to_vec(),
            servers: Vec::new(),
            answers: Vec::new(),
            questions: JoinSet::new(),
            known: None,
            system: None,
        };
        if *asked == NameServers::System {
            let start = clock.now();
            let known = from_hosts_file(host, families);
            lookup.known = (!known.is_empty()).then(|| (known, clock.since(start)));
            lookup.system = system::ask(host, clock);
        }
        if lookup.known.is_none() {
            lookup.ask_all(&name_servers(asked).map_err(Failure::Resolver)?);
        }
        Ok(lookup)
    }

    fn ask_all(&mut self, servers: &[NameServer]) {
        self.servers = servers.iter().map(|server| server.address).collect();
        let (clock, families) = (self.clock, self.families.clone());
        for (server, family) in servers.iter().flat_map(|server| families.iter().map(move |family| (server, *family))) {
            let (address, resolver, host) = (server.address, server.resolver.clone(), self.host.clone());
            self.questions.spawn(async move {
                let start = clock.now();
                let answer = resolver.lookup(host, family.record_type()).await;
                let span = Some(clock.since(start));
                let addresses =
                    answer.map(|lookup| lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect());
                DnsAnswer { server: address, family, span, outcome: DnsOutcome::of(addresses) }
            });
        }
    }

    /// The addresses, IPv6 first, and the phase.
    pub(crate) async fn addresses(&mut self) -> Result<(Vec<IpAddr>, Span), Failure> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let host = || self.host.clone();
        loop {
            match judge(&self.answers, &self.servers, &self.families, self.clock.now()) {
                Verdict::Found(addresses, span) => return Ok((addresses, span)),
                Verdict::NoSuchName => return Err(Failure::NoSuchName { host: host() }),
                Verdict::NoAddress => return Err(Failure::NoAddress { host: host(), families: self.families.clone() }),
                Verdict::Failed => return Err(Failure::Lookup { host: host(), causes: failures(&self.answers) }),
                Verdict::Wait(None) => take_next(&mut self.questions, &mut self.answers).await,
                Verdict::Wait(Some(until)) => {
                    let next = take_next(&mut self.questions, &mut self.answers);
                    // What ends the wait is looked at in the next round.
                    timeout_at(self.clock.instant(until), next).await.unwrap_or_default();
                }
            }
        }
    }

    /// Ends the lookup, and tells what each server has said. Those that have not answered yet are waited for until a
    /// second after the question, and not beyond `until`.
    pub(crate) async fn finish(mut self, until: tokio::time::Instant) -> DnsEvidence {
        let asked_at = self.answers.iter().filter_map(|answer| answer.span).map(|span| span.start).min();
        let until = until.min(self.clock.instant(asked_at.unwrap_or_default() + STRAGGLERS));
        let stragglers = async {
            while !self.questions.is_empty() {
                take_next(&mut self.questions, &mut self.answers).await;
            }
        };
        timeout_at(until, stragglers).await.unwrap_or_default();
        let system = match &mut self.system {
            Some(system) => timeout_at(until, system).await.ok().and_then(Result::ok),
            None => None,
        };
        let asked = self.servers.iter().flat_map(|server| self.families.iter().map(move |family| (*server, *family)));
        for (server, family) in asked {
            if !self.answers.iter().any(|answer| (answer.server, answer.family) == (server, family)) {
                self.answers.push(DnsAnswer { server, family, span: None, outcome: DnsOutcome::Unanswered });
            }
        }
        DnsEvidence { answers: self.answers, system }
    }
}

/// Waits for one more answer.
async fn take_next(questions: &mut JoinSet<DnsAnswer>, answers: &mut Vec<DnsAnswer>) {
    match questions.join_next().await {
        Some(Ok(answer)) => answers.push(answer),
        // A question never panics and nobody cancels it; without its answer the deadline would end the wait.
        Some(Err(_)) | None => std::future::pending().await,
    }
}

/// What went wrong at each server, once.
fn failures(answers: &[DnsAnswer]) -> Vec<(SocketAddr, String)> {
    let mut failures: Vec<(SocketAddr, String)> = Vec::new();
    for answer in answers {
        if let DnsOutcome::Failed(cause) = &answer.outcome
            && !failures.iter().any(|(server, _)| *server == answer.server)
        {
            failures.push((answer.server, cause.clone()));
        }
    }
    failures
}
