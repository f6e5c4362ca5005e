//! The DNS phase: the addresses of a name, never from a cache of the probe's.
//!
//! Name servers are asked as this machine's programs ask them: in the order of `resolv.conf`, the next one where one
//! fails, for the names of the search list one after the other. The phase is what that takes, with every wait in it. The
//! servers that a program would not ask are asked as well, once the name is known, in
//! queries of their own: they are evidence, and in no phase. Where the servers do not know the name and the system's own
//! lookup does (`nsswitch.conf` may name more than files and DNS), the system is believed.
//!
//! Decisions: D-026, D-058.

mod answer;
mod hosts_file;
mod message;
mod name;
mod one_server;
mod question;
mod resolv_conf;
mod search;
mod servers;
mod system;
mod turns;

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::clock::{Clock, Span};
use crate::{Failure, HostAddress, NameServers};
pub use answer::{DnsAnswer, DnsOutcome, Family};
pub use hosts_file::addresses_in_hosts_file;
use hosts_file::from_hosts_file;
pub use message::{Reply, read_answer};
pub use name::{DnsName, InvalidName};
pub(crate) use one_server::ServerQuestion;
pub use resolv_conf::{ResolvConf, ServerAddress, parse_resolv_conf};
use servers::{Conclusion, Servers};
pub use system::SystemLookup;
use system::SystemQuestion;

/// How long after its query a server's answer is still waited for if the measurement ends earlier.
const STRAGGLERS: Duration = Duration::from_secs(1);

/// Name servers that are silent are not waited for much longer than the first of them has time, where the system knows the
/// name without them. One lost question must not lead there: the next one is then still answered.
const SYSTEM_AHEAD: Duration = Duration::from_secs(1);

/// What a lookup has found besides the addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsEvidence {
    /// Where the addresses come from, if there are any.
    pub source: Option<NameSource>,
    /// Each server's answers, in the order in which they came; those that did not come are last.
    pub answers: Vec<DnsAnswer>,
    /// What the system's own lookup said, if it was asked and has answered.
    pub system: Option<SystemLookup>,
}

/// Where the addresses of a name come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// This machine's hosts file.
    HostsFile,
    /// No source: `localhost` and names below it are this machine (RFC 6761, section 6.3).
    Localhost,
    /// A name server.
    NameServer,
    /// The system's own lookup, where the name servers did not know the name.
    System,
}

/// A lookup under way.
pub(crate) struct Lookup {
    host: String,
    clock: Clock,
    families: Vec<Family>,
    source: Option<NameSource>,
    /// What was known without asking, and how long it took to look there.
    known: Option<(Vec<HostAddress>, Span)>,
    servers: Servers,
    system: Option<SystemQuestion>,
}

impl Lookup {
    /// Prepares the lookup of `host`, which is in no phase.
    pub(crate) fn start(host: &str, families: &[Family], asked: &NameServers, clock: Clock) -> Result<Self, Failure> {
        let name = DnsName::from_host(host).map_err(|cause| Failure::NotAName { host: host.to_owned(), cause })?;
        let servers = Servers::new(name, families, asked, clock);
        let (host, families) = (host.to_owned(), families.to_vec());
        let mut lookup = Self { host, clock, families, source: None, known: None, servers, system: None };
        if *asked == NameServers::System {
            let start = clock.now();
            lookup.known = known_here(&lookup.host, &lookup.families).map(|(source, addresses)| {
                lookup.source = Some(source);
                (addresses, clock.since(start))
            });
            lookup.system = Some(SystemQuestion::begin(&lookup.host, clock));
        }
        Ok(lookup)
    }

    /// The addresses, IPv6 first, and the phase. The system is waited for until `until` at most.
    pub(crate) async fn addresses(&mut self, until: Instant) -> Result<(Vec<HostAddress>, Span), Failure> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        // Early enough for the rest of the measurement.
        let now = Instant::now();
        let without_servers_at =
            now + (self.servers.patience() + SYSTEM_AHEAD).min(until.saturating_duration_since(now) / 2);
        let without_servers = async {
            match &mut self.system {
                Some(system) => system.known(&self.families, without_servers_at).await,
                None => std::future::pending().await,
            }
        };
        let conclusion = tokio::select! {
            conclusion = self.servers.ask_in_order(until) => Some(conclusion),
            () = without_servers => None,
        };
        if let Some(Conclusion::Found(addresses, span)) = conclusion {
            self.source = Some(NameSource::NameServer);
            return Ok((addresses.into_iter().map(HostAddress::from).collect(), span));
        }
        if let Some(known) = self.of_system(until).await {
            self.source = Some(NameSource::System);
            return Ok(known);
        }
        let causes = self.servers.turns().failures();
        Err(conclusion.unwrap_or(Conclusion::Failed).into_failure(self.host.clone(), &self.families, causes))
    }

    async fn of_system(&mut self, until: Instant) -> Option<(Vec<HostAddress>, Span)> {
        let system = self.system.as_mut()?;
        let answer = timeout_at(until, system.answer()).await.ok()??;
        let addresses = answer.of_families(&self.families);
        (!addresses.is_empty()).then_some((addresses, answer.span))
    }

    /// Ends the lookup, and tells what each server has said. Those that have not answered yet are waited for until a
    /// second after they were asked, and not beyond `until`.
    pub(crate) async fn finish(mut self, until: Instant) -> DnsEvidence {
        let mut turns = self.servers.into_turns();
        let until = until.min(self.clock.instant(turns.began_last_at() + STRAGGLERS));
        timeout_at(until, turns.take_all()).await.unwrap_or_default();
        let system = match &mut self.system {
            Some(system) => timeout_at(until, system.answer_begun()).await.ok().flatten(),
            None => None,
        };
        DnsEvidence { source: self.source, answers: turns.into_answers(), system }
    }
}

/// What this machine knows without asking, and from where.
fn known_here(host: &str, families: &[Family]) -> Option<(NameSource, Vec<HostAddress>)> {
    let of_file = from_hosts_file(host, families);
    if !of_file.is_empty() {
        return Some((NameSource::HostsFile, of_file.into_iter().map(HostAddress::from).collect()));
    }
    let loopback = families.iter().map(|family| match family {
        Family::V4 => IpAddr::from([127, 0, 0, 1]),
        Family::V6 => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16]),
    });
    is_localhost(host).then(|| (NameSource::Localhost, loopback.map(HostAddress::from).collect()))
}

/// As browsers and curl have it, whatever a name server may say.
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests;
