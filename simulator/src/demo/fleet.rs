//! Who measures what in the demo, and what is usual there.

use super::place::Pair;

pub(super) const CLIENTS: [&str; 20] = [
    "demo-01", "demo-02", "demo-03", "demo-04", "demo-05", "demo-06", "demo-07", "demo-08", "demo-09", "demo-10",
    "demo-11", "demo-12", "demo-13", "demo-14", "demo-15", "demo-16", "demo-17", "demo-18", "demo-19", "demo-20",
];

/// A provider.
pub(super) struct Isp {
    pub name: &'static str,
    /// How many times slower than the usual its name servers are.
    pub slowness: f64,
}

pub(super) const ISPS: [Isp; 4] = [
    Isp { name: "Northline", slowness: 1.0 },
    Isp { name: "Fjordnet", slowness: 1.2 },
    Isp { name: "Cablecore", slowness: 1.4 },
    Isp { name: "Skymobile", slowness: 1.6 },
];

/// A kind of access.
pub(super) struct Network {
    pub name: &'static str,
    pub mbps: f64,
    /// Standard deviation of the logarithm of what is measured over it.
    pub spread: f64,
    /// Share of the measurements over it that fail without a fault.
    pub failure_share: f64,
}

pub(super) const NETWORKS: [Network; 3] = [
    Network { name: "ethernet", mbps: 240.0, spread: 0.06, failure_share: 0.001 },
    Network { name: "wifi", mbps: 90.0, spread: 0.08, failure_share: 0.002 },
    Network { name: "cellular", mbps: 35.0, spread: 0.1, failure_share: 0.003 },
];

pub(super) struct Target {
    pub url: &'static str,
    /// How many times further than the usual it is away.
    pub distance: f64,
}

pub(super) const TARGETS: [Target; 6] = [
    Target { url: "https://www.example.com/", distance: 0.5 },
    Target { url: "https://api.example.com/", distance: 0.7 },
    Target { url: "https://cdn.example.com/", distance: 0.4 },
    Target { url: "https://shop.example.com/", distance: 0.9 },
    Target { url: "https://video.example.com/", distance: 1.1 },
    Target { url: "https://login.example.com/", distance: 1.3 },
];

/// The provider of a client by its number.
pub(super) fn isp(client: usize) -> &'static Isp {
    &ISPS[client % ISPS.len()]
}

/// The access of a client by its number.
pub(super) fn network(client: usize) -> &'static Network {
    &NETWORKS[client % NETWORKS.len()]
}

/// A client and a target by their numbers.
pub(super) fn pair(client: usize, target: usize) -> Pair<'static> {
    Pair {
        client_id: CLIENTS[client],
        isp: isp(client).name,
        network_type: network(client).name,
        target: TARGETS[target].url,
    }
}

/// Every client with every target.
pub(super) fn pairs() -> impl Iterator<Item = Pair<'static>> {
    (0..CLIENTS.len()).flat_map(|client| (0..TARGETS.len()).map(move |target| pair(client, target)))
}
