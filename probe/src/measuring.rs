//! A measurement under way.

use std::net::IpAddr;
use std::time::Duration;

use netqoe_model::ErrorStage;

use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::dns::Lookup;
use crate::{Evidence, Failure, Host, HostAddress, Phases, Settings};

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
    pub(crate) lookup: Option<Lookup>,
}

impl<'a> Measuring<'a> {
    /// Nothing is found yet, and the clock runs.
    pub(crate) fn begin(settings: &'a Settings) -> Self {
        Self {
            settings,
            clock: Clock::start(),
            deadline: Deadline::after(settings.timeout),
            phases: Phases::default(),
            evidence: Evidence::default(),
            total: None,
            source_ip: None,
            lookup: None,
        }
    }

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
}
