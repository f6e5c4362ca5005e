//! One measurement of one target, from the first question to the last byte.

use std::net::IpAddr;
use std::time::Duration;

use netqoe_model::ErrorStage;

use crate::clock::Clock;
use crate::clock_state::clock_state;
use crate::deadline::Deadline;
use crate::dns::Lookup;
use crate::{Check, Evidence, Failure, Host, HostAddress, NetworkContext, Phases, Settings, Target, checks};

/// What one measurement found.
#[derive(Debug)]
pub struct Measurement {
    /// What was measured.
    pub target: Target,
    /// The phases that were reached, also where a later one failed.
    pub phases: Phases,
    /// From the beginning to the end of the last phase but throughput, or to the failure.
    pub total: Duration,
    /// What explains them.
    pub evidence: Evidence,
    /// Why it did not reach its end, if so.
    pub failure: Option<Failure>,
}

/// A measurement under way: what it goes by, and what it has found so far.
pub(crate) struct Measuring<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) clock: Clock,
    pub(crate) deadline: Deadline,
    pub(crate) phases: Phases,
    pub(crate) evidence: Evidence,
    /// Known once all phases but throughput are over.
    pub(crate) total: Option<Duration>,
    /// This machine's address on the connection.
    pub(crate) source_ip: Option<IpAddr>,
    lookup: Option<Lookup>,
}

/// Measures `target` once: a lookup, connections and a session of its own; nothing is cached or reused.
///
/// It ends within `settings.timeout`, and a target that fails is a measurement like any other. Dropping the future ends
/// the measurement.
pub async fn measure(target: &Target, settings: &Settings) -> Measurement {
    let mut measuring = Measuring {
        settings,
        clock: Clock::start(),
        deadline: Deadline::after(settings.timeout),
        phases: Phases::default(),
        evidence: Evidence::default(),
        total: None,
        source_ip: None,
        lookup: None,
    };
    let outcome = match target.check() {
        Check::Web(url) => checks::web::run(url, &mut measuring).await,
        Check::Tcp { host, port } => checks::tcp::run(host, *port, &mut measuring).await,
        Check::Icmp { host } => checks::icmp::run(host, &mut measuring).await,
        Check::Dns { server, port, name } => checks::dns::run(server, *port, name, &mut measuring).await,
    };
    measuring.finish(target.clone(), outcome.err()).await
}

impl Measuring<'_> {
    /// The addresses to connect to: the URL's own, or those that are looked up, which is the DNS phase.
    pub(crate) async fn addresses(&mut self, host: &Host) -> Result<Vec<HostAddress>, Failure> {
        let families = self.settings.families();
        if let Some(address) = host.address()? {
            let is_wanted = families.iter().any(|family| family.holds(address.ip));
            return if is_wanted { Ok(vec![address]) } else { Err(Failure::OtherFamily { address: address.ip }) };
        }
        let lookup = Lookup::start(host.as_str(), families, &self.settings.name_servers, self.clock)?;
        let lookup = self.lookup.insert(lookup);
        let (addresses, span) = self.deadline.hold(ErrorStage::Dns, lookup.addresses(self.deadline.at())).await?;
        self.phases.dns = Some(span);
        Ok(addresses)
    }

    /// The failure of a host that has no address of the families that are wanted.
    pub(crate) fn no_address(&self, host: &Host) -> Failure {
        Failure::NoAddress { host: host.as_str().to_owned(), families: self.settings.families().to_vec(), alias: None }
    }

    /// Forgets the lookup of the host: it was no part of what is measured.
    pub(crate) fn forget_lookup(&mut self) {
        (self.phases.dns, self.lookup) = (None, None);
    }

    /// Begins anew, on the same clock.
    pub(crate) fn forget(&mut self) {
        (self.phases, self.evidence, self.lookup) = (Phases::default(), Evidence::default(), None);
    }

    async fn finish(mut self, target: Target, failure: Option<Failure>) -> Measurement {
        let total = self.total.unwrap_or_else(|| self.clock.now());
        self.evidence.network = NetworkContext::find(self.source_ip, self.settings.providers.as_deref());
        self.evidence.clock = clock_state();
        if let Some(lookup) = self.lookup {
            self.evidence.dns = lookup.finish(self.deadline.at()).await;
        }
        Measurement { target, phases: self.phases, total, evidence: self.evidence, failure }
    }
}
