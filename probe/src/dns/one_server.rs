//! The question to one name server, which may have several addresses.

use std::net::SocketAddr;
use std::time::Duration;

use super::answer::{DnsAnswer, Family, Verdict};
use super::name::DnsName;
use super::resolv_conf::ResolvConf;
use super::servers::Conclusion;
use super::turns::Turns;
use crate::Failure;
use crate::clock::{Clock, Span};

/// How long one address is waited for before the next is tried beside it, as with connections.
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// As many as are tried of any other server.
const MAX_ADDRESSES: usize = 32;

/// A question under way.
pub(crate) struct ServerQuestion {
    name: DnsName,
    families: Vec<Family>,
    addresses: Vec<SocketAddr>,
    conf: ResolvConf,
    turns: Turns,
    /// The turn in which something was said first.
    decisive: Option<usize>,
}

impl ServerQuestion {
    /// Prepares the question for `name`, to the server that has these addresses.
    pub(crate) fn new(name: &DnsName, families: &[Family], mut addresses: Vec<SocketAddr>, clock: Clock) -> Self {
        addresses.truncate(MAX_ADDRESSES);
        let conf = ResolvConf { edns: true, ..ResolvConf::default() };
        let turns = Turns::new(families, &conf, clock);
        Self { name: name.clone(), families: families.to_vec(), addresses, conf, turns, decisive: None }
    }

    /// The phase: from the question to the server's last answer that was waited for. An address that fails, or says nothing
    /// for a while, gives way to the next, and whatever is said first is what the server says. If nobody has said
    /// anything, all are asked again.
    pub(crate) async fn ask(&mut self) -> Result<Span, Failure> {
        let mut conclusion = Conclusion::Failed;
        for _ in 0..self.conf.attempts {
            if let Some((turn, verdict)) = self.ask_each().await {
                self.decisive = Some(turn);
                let (server, began) = (self.turns.turn(turn).server, self.turns.turn(turn).began);
                conclusion = Conclusion::of(verdict, began, server, self.turns.alias(turn));
                break;
            }
        }
        match conclusion {
            Conclusion::Found(_, span) => Ok(span),
            other => Err(other.into_failure(self.name.to_string(), &self.families, self.turns.failures())),
        }
    }

    /// The address at which the server has answered, if it has.
    pub(crate) fn answered_by(&self) -> Option<SocketAddr> {
        self.decisive.map(|turn| self.turns.turn(turn).server)
    }

    /// The first turn, of those at all addresses, in which something was said, and what follows from it.
    async fn ask_each(&mut self) -> Option<(usize, Verdict)> {
        let mut left = self.addresses.clone().into_iter();
        let mut pending: Vec<usize> = Vec::new();
        let (mut next_at, mut until) = (Duration::ZERO, Duration::ZERO);
        loop {
            let now = self.turns.clock.now();
            if (now >= next_at || pending.is_empty())
                && let Some(server) = left.next()
            {
                pending.push(self.turns.begin(server, &self.name, true, true));
                (next_at, until) = (now + NEXT_ADDRESS_AFTER, now + self.conf.timeout);
            }
            let mut looks_at = if left.len() > 0 { next_at } else { until };
            let mut silent = Vec::new();
            for turn in &pending {
                match self.turns.verdict(*turn) {
                    Verdict::Wait(settles_at) => looks_at = looks_at.min(settles_at.unwrap_or(looks_at)),
                    Verdict::Failed if !self.turns.has_said_anything(*turn) => silent.push(*turn),
                    verdict => return Some((*turn, verdict)),
                }
            }
            pending.retain(|turn| !silent.contains(turn));
            match pending.is_empty() {
                true if left.len() == 0 => return None,
                true => {}
                false if left.len() == 0 && now >= until => return None,
                false => self.turns.take_next(looks_at).await,
            }
        }
    }

    /// What was said at each address.
    pub(crate) fn into_answers(self) -> Vec<DnsAnswer> {
        self.turns.into_answers()
    }
}
