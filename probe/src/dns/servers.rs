//! This machine's name servers, asked in the order in which its programs ask them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use super::answer::{DnsAnswer, Family, Verdict};
use super::name::DnsName;
use super::resolv_conf::ResolvConf;
use super::search::Candidates;
use super::turns::Turns;
use crate::clock::{Clock, Span};
use crate::{Failure, HostAddress, NameServers};

/// The port of DNS.
const PORT: u16 = 53;
/// When a server has been waited for as long as this, the others are asked beside it: the time for the whole measurement
/// may end before their turn, and they should be evidence all the same.
const OTHERS_AFTER: Duration = Duration::from_secs(1);

/// What asking has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// These addresses, and from the first question to the last answer that was waited for.
    Found(Vec<IpAddr>, Span),
    /// NXDOMAIN, and the server that says so.
    NoSuchName { server: SocketAddr, alias: Option<String> },
    /// The name is there without an address.
    NoAddress { alias: Option<String> },
    /// No server could answer.
    Failed,
}

/// A lookup's name servers.
pub(super) struct Servers {
    conf: ResolvConf,
    candidates: Candidates,
    /// In the order in which they are asked.
    servers: Vec<SocketAddr>,
    turns: Turns,
}

impl Servers {
    pub(super) fn new(name: DnsName, families: &[Family], asked: &NameServers, clock: Clock) -> Self {
        let (conf, servers) = match asked {
            NameServers::System => of_system(),
            NameServers::At(addresses) => (ResolvConf::default(), addresses.clone()),
        };
        Self::with(conf, servers, name, families, clock)
    }

    /// These servers, asked as `conf` says.
    pub(super) fn with(
        conf: ResolvConf,
        mut servers: Vec<SocketAddr>,
        name: DnsName,
        families: &[Family],
        clock: Clock,
    ) -> Self {
        if conf.rotate && !servers.is_empty() {
            // Each program begins with any of them.
            let first = rand::rng().random_range(0..servers.len());
            servers.rotate_left(first);
        }
        let mut families = families.to_vec();
        if conf.no_aaaa && families.contains(&Family::V4) {
            families = vec![Family::V4];
        }
        let turns = Turns::new(&families, &conf, clock);
        Self { candidates: Candidates::of(name, &conf), conf, servers, turns }
    }

    /// Asks as a program would: the first server that knows the name, or knows that there is none, is believed; and
    /// where there is none, the next name of the search list is tried. All of the measurement ends at `until`.
    pub(super) async fn ask_in_order(&mut self, until: Instant) -> Conclusion {
        let mut concluded: Vec<Conclusion> = Vec::new();
        for index in 0..self.candidates.names.len() {
            let conclusion = self.ask_about(index, until).await;
            let goes_on = match &conclusion {
                Conclusion::Found(..) => false,
                Conclusion::NoSuchName { .. } | Conclusion::NoAddress { .. } => true,
                // If nobody can be asked, nobody can be for another name.
                Conclusion::Failed => self.has_answer(|answer| answer.outcome.is_server_failure()),
            };
            if !goes_on {
                self.ask_others(index);
                return conclusion;
            }
            concluded.push(conclusion);
        }
        let Some(index) = self.decisive(&concluded) else { return Conclusion::Failed };
        self.ask_others(index);
        concluded.swap_remove(index)
    }

    /// Which of several failures is told: that of the name itself where it was asked for first, as it is what somebody
    /// has typed; or else what comes nearest to a name that is there.
    fn decisive(&self, concluded: &[Conclusion]) -> Option<usize> {
        if self.candidates.is_itself_first && !concluded.is_empty() {
            return Some(0);
        }
        (0..concluded.len()).max_by_key(|index| match concluded[*index] {
            Conclusion::NoAddress { .. } => 2,
            Conclusion::NoSuchName { .. } => 0,
            _ => 1,
        })
    }

    /// Asks one server after the other for one name, and all again where all have failed.
    async fn ask_about(&mut self, candidate: usize, until: Instant) -> Conclusion {
        for _ in 0..self.conf.attempts {
            for place in 0..self.servers.len() {
                let turn = self.turn_of(self.servers[place], candidate);
                let mut patience = patience(&self.conf, place, self.servers.len());
                if place + 1 < self.servers.len() {
                    // The next, and what is measured after the lookup, need time as well.
                    patience = patience.min(until.saturating_duration_since(Instant::now()) / 2);
                }
                match self.wait_for(turn, candidate, self.turns.clock.now() + patience).await {
                    Verdict::Failed | Verdict::Wait(_) => {}
                    verdict => return self.conclude(turn, verdict),
                }
            }
        }
        Conclusion::Failed
    }

    /// A question now; or what is known already, because it was asked for as evidence while another was waited for.
    fn turn_of(&mut self, server: SocketAddr, candidate: usize) -> usize {
        let (name, is_itself) = self.candidates.get(candidate);
        let other_name = (!is_itself).then(|| name.to_string());
        match self.turns.promote(server, other_name.as_deref()) {
            Some(turn) => turn,
            None => self.turns.begin(server, name, is_itself, true),
        }
    }

    /// Waits until it is known what follows from a turn's answers, or `until`.
    async fn wait_for(&mut self, turn: usize, candidate: usize, until: Duration) -> Verdict {
        let others_at = self.turns.clock.now() + OTHERS_AFTER;
        loop {
            let now = self.turns.clock.now();
            if now >= others_at {
                self.ask_others(candidate);
            }
            let settles_at = match self.turns.verdict(turn) {
                Verdict::Wait(settles_at) if now < until => settles_at.unwrap_or(until),
                verdict => return verdict,
            };
            let looks_at = if now < others_at { others_at } else { until };
            self.turns.take_next(settles_at.min(looks_at).min(until)).await;
        }
    }

    fn conclude(&self, turn: usize, verdict: Verdict) -> Conclusion {
        let start = self.turns.all().first().map_or(Duration::ZERO, |turn| turn.began);
        let decided = self.turns.turn(turn);
        let verdict = match verdict {
            // What had been answered before its turn is known when that comes.
            Verdict::Found(addresses, end) => Verdict::Found(addresses, end.max(decided.decides_since.unwrap_or(end))),
            other => other,
        };
        Conclusion::of(verdict, start, decided.server, self.turns.alias(turn))
    }

    /// Asks those that a program would not have asked for this name.
    fn ask_others(&mut self, candidate: usize) {
        let (name, is_itself) = self.candidates.get(candidate);
        let other_name = (!is_itself).then(|| name.to_string());
        for server in &self.servers {
            let is_asked = self.turns.all().iter().any(|turn| turn.server == *server && turn.other_name == other_name);
            if !is_asked {
                self.turns.begin(*server, name, is_itself, false);
            }
        }
    }

    fn has_answer(&self, is_it: impl Fn(&DnsAnswer) -> bool) -> bool {
        self.turns.all().iter().flat_map(|turn| &turn.answers).any(is_it)
    }

    /// How long the first of them is waited for.
    pub(super) fn patience(&self) -> Duration {
        patience(&self.conf, 0, self.servers.len())
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(super) fn into_turns(self) -> Turns {
        self.turns
    }
}

impl Conclusion {
    pub(super) fn of(verdict: Verdict, start: Duration, server: SocketAddr, alias: Option<String>) -> Self {
        match verdict {
            Verdict::Found(addresses, end) => Self::Found(addresses, Span { start, end }),
            Verdict::NoSuchName => Self::NoSuchName { server, alias },
            Verdict::NoAddress => Self::NoAddress { alias },
            Verdict::Failed | Verdict::Wait(_) => Self::Failed,
        }
    }

    /// As the failure of a measurement; `causes` tells what went wrong at each server.
    pub(super) fn into_failure(self, host: String, families: &[Family], causes: Vec<(SocketAddr, String)>) -> Failure {
        match self {
            Self::NoSuchName { server, alias } => Failure::NoSuchName { host, server, alias },
            Self::NoAddress { alias } => Failure::NoAddress { host, families: families.to_vec(), alias },
            Self::Failed | Self::Found(..) => Failure::Lookup { host, causes },
        }
    }
}

/// What `resolv.conf` says now, and its servers.
fn of_system() -> (ResolvConf, Vec<SocketAddr>) {
    let conf = ResolvConf::of_system();
    let servers = conf.servers.iter().map(|server| {
        let address = HostAddress::in_zone(server.ip, server.zone.as_deref());
        // Without its zone it can't be reached, which is told when it is asked; the others can.
        address.unwrap_or_else(|_| server.ip.into()).at(PORT)
    });
    let servers = servers.collect();
    (conf, servers)
}

/// How long a server is waited for before the next is asked, as the C library has it: the first for the time that is set,
/// and those behind it for twice, four times as long, divided by all.
fn patience(conf: &ResolvConf, place: usize, servers: usize) -> Duration {
    let seconds = conf.timeout.as_secs() << place.min(8);
    let seconds = if place > 0 { seconds / servers.max(1) as u64 } else { seconds };
    let one = Duration::from_secs(seconds.max(1));
    // Where A and AAAA are asked for one after the other, each has the time.
    if conf.single_request { one * 2 } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_waited_for_as_the_c_library_does() {
        let conf = ResolvConf::default();
        let seconds = |place, servers| patience(&conf, place, servers).as_secs();
        assert_eq!((seconds(0, 1), seconds(0, 2), seconds(1, 2)), (5, 5, 5));
        assert_eq!((seconds(0, 3), seconds(1, 3), seconds(2, 3)), (5, 3, 6));
        let hasty = ResolvConf { timeout: Duration::from_secs(1), ..conf };
        assert_eq!(patience(&hasty, 1, 3).as_secs(), 1);
    }
}
