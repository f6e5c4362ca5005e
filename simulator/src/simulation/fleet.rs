//! Who measures what, and what is usual for it.

use super::draws::{Draws, Purpose};

/// How a client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// A cable: fast and even.
    Ethernet,
    /// A radio of the site's own.
    Wifi,
    /// A provider's radio: slow and noisy.
    Cellular,
}

impl Access {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Ethernet, Self::Wifi, Self::Cellular];

    /// As events write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Wifi => "wifi",
            Self::Cellular => "cellular",
        }
    }
}

/// Who measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Where it stands.
    pub site: usize,
    /// Whose network it is in.
    pub provider: usize,
    /// How it is connected.
    pub access: Access,
    access_ms: f64,
    mbps: f64,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Whose network it is in.
    pub hosting: usize,
    distance_ms: f64,
    server_ms: f64,
    /// Round trips of a TLS handshake: one, or two with an older server, and some computing.
    tls_round_trips: f64,
    /// Rise of the server's time in the evening, as a share.
    evening: f64,
    /// Standard deviation of the logarithm of the server's time.
    server_spread: f64,
}

/// The network of a client.
#[derive(Clone, Debug, PartialEq)]
struct Provider {
    resolver_ms: f64,
    /// Rise of the round trip in the evening, as a share.
    evening: f64,
}

/// A client and a target, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// Number of the client.
    pub client: usize,
    /// Number of the target.
    pub target: usize,
}

/// Clients and targets, of which each client measures each target.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// Who measures.
    pub clients: Vec<Client>,
    /// What is measured.
    pub targets: Vec<Target>,
    providers: Vec<Provider>,
    seed: u64,
}

/// What a pair measures where nothing is wrong, at noon.
#[derive(Clone, Debug)]
pub(super) struct Usual {
    pub(super) dns_ms: f64,
    pub(super) round_trip_ms: f64,
    pub(super) tls_round_trips: f64,
    pub(super) server_ms: f64,
    pub(super) mbps: f64,
    /// Rise in the evening, as a share: of the path, and of the server.
    pub(super) path_evening: f64,
    pub(super) server_evening: f64,
}

/// How the measurements of a pair scatter, as standard deviations of logarithms, and how often they are far off.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    pub(super) latency: f64,
    pub(super) server: f64,
    pub(super) throughput: f64,
    pub(super) tail_share: f64,
    pub(super) failure_share: f64,
}

/// A site has about so many clients, a provider, a hosting network about so many of theirs.
const CLIENTS_A_SITE: usize = 5;
const CLIENTS_A_PROVIDER: usize = 8;
const MOST_PROVIDERS: usize = 6;
const TARGETS_A_HOSTING: usize = 3;
/// The evening raises what it raises by at most this share.
pub(super) const HIGHEST_EVENING: f64 = 0.4;

impl Fleet {
    /// So many clients and targets, at least one of each.
    pub(super) fn new(seed: u64, clients: usize, targets: usize) -> Self {
        let mut draws = Draws::new(seed, Purpose::Fleet, 0);
        let provider_count = (clients / CLIENTS_A_PROVIDER).clamp(1, MOST_PROVIDERS);
        let providers = (0..provider_count).map(|_| Provider::new(&mut draws)).collect();
        let sites: Vec<_> = (0..clients.div_ceil(CLIENTS_A_SITE)).map(|_| draws.below(provider_count)).collect();
        let clients = (0..clients).map(|number| Client::new(&mut draws, number, &sites, provider_count)).collect();
        let hostings = targets.div_ceil(TARGETS_A_HOSTING);
        let targets = (0..targets).map(|number| Target::new(&mut draws, number % hostings)).collect();
        Self { clients, targets, providers, seed }
    }

    /// All pairs, those of a client after each other.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> {
        let targets = self.targets.len();
        (0..self.clients.len()).flat_map(move |client| (0..targets).map(move |target| Pair { client, target }))
    }

    /// The client of a pair.
    pub fn client(&self, pair: Pair) -> &Client {
        &self.clients[pair.client]
    }

    /// The target of a pair.
    pub fn target(&self, pair: Pair) -> &Target {
        &self.targets[pair.target]
    }

    /// How many networks of clients there are.
    pub fn providers(&self) -> usize {
        self.providers.len()
    }

    pub(super) fn number(&self, pair: Pair) -> usize {
        pair.client * self.targets.len() + pair.target
    }

    pub(super) fn usual(&self, pair: Pair) -> Usual {
        let (client, target) = (self.client(pair), self.target(pair));
        let provider = &self.providers[client.provider];
        let mut draws = Draws::new(self.seed, Purpose::Pair, self.number(pair));
        Usual {
            dns_ms: (provider.resolver_ms + 0.3 * client.access_ms).clamp(5.0, 40.0),
            round_trip_ms: (client.access_ms + target.distance_ms * draws.between(0.9..1.1)).clamp(5.0, 120.0),
            tls_round_trips: target.tls_round_trips,
            server_ms: target.server_ms,
            mbps: client.mbps * draws.between(0.7..1.0),
            path_evening: provider.evening,
            server_evening: target.evening,
        }
    }

    /// With `noise` times the usual standard deviations.
    pub(super) fn spread(&self, pair: Pair, noise: f64) -> Spread {
        let mut draws = Draws::new(self.seed ^ 1 << 63, Purpose::Pair, self.number(pair));
        let (latency, throughput) = match self.client(pair).access {
            Access::Ethernet => (0.03..0.08, 0.05..0.12),
            Access::Wifi => (0.07..0.14, 0.12..0.24),
            Access::Cellular => (0.12..0.20, 0.25..0.35),
        };
        Spread {
            latency: noise * draws.between(latency),
            server: noise * self.target(pair).server_spread,
            throughput: noise * draws.between(throughput),
            tail_share: draws.between(0.01..0.03),
            failure_share: draws.between(0.002..0.01),
        }
    }
}

impl Provider {
    fn new(draws: &mut Draws) -> Self {
        Self { resolver_ms: draws.between_logs(4.0..22.0), evening: draws.between(0.0..HIGHEST_EVENING) }
    }
}

impl Client {
    /// A client at a site has the site's provider, unless it is connected by radio: then any.
    fn new(draws: &mut Draws, number: usize, sites: &[usize], providers: usize) -> Self {
        let site = number % sites.len();
        let access = draws.one_of(&[Access::Ethernet, Access::Wifi, Access::Wifi, Access::Cellular]);
        let (provider, access_ms, mbps) = match access {
            Access::Ethernet => (sites[site], 1.0..4.0, 80.0..400.0),
            Access::Wifi => (sites[site], 3.0..12.0, 40.0..200.0),
            Access::Cellular => (draws.below(providers), 25.0..60.0, 14.0..80.0),
        };
        Self { site, provider, access, access_ms: draws.between(access_ms), mbps: draws.between_logs(mbps) }
    }
}

impl Target {
    fn new(draws: &mut Draws, hosting: usize) -> Self {
        Self {
            hosting,
            distance_ms: draws.between_logs(4.0..60.0),
            server_ms: draws.between_logs(15.0..250.0),
            tls_round_trips: draws.one_of(&[1.05, 1.05, 2.0]),
            evening: draws.between(0.0..HIGHEST_EVENING),
            server_spread: draws.between(0.03..0.15),
        }
    }
}
