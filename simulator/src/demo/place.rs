//! Where a fault is.

use rand::RngExt;
use rand::rngs::StdRng;

use super::fleet::{self, CLIENTS, ISPS, NETWORKS, TARGETS};

/// A client and a target, with what is known of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair<'a> {
    /// Who measures.
    pub client_id: &'a str,
    /// The client's provider.
    pub isp: &'a str,
    /// The client's kind of access.
    pub network_type: &'a str,
    /// What is measured.
    pub target: &'a str,
}

/// Some of the fleet's pairs: all those that have what is named here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Only this client.
    pub client_id: Option<&'static str>,
    /// Only clients of this provider.
    pub isp: Option<&'static str>,
    /// Only clients with this kind of access.
    pub network_type: Option<&'static str>,
    /// Only this target.
    pub target: Option<&'static str>,
}

impl Place {
    /// One for each sort of place: a target, a provider, a client, a provider's way to a target, a kind of access.
    pub(super) const SORTS: [fn(&mut StdRng) -> Self; 5] =
        [any_target, any_isp, any_client, any_isp_and_target, any_network_type];

    /// Whether a pair is of this place.
    pub fn includes(&self, pair: &Pair<'_>) -> bool {
        let is = |named: Option<&str>, value: &str| named.is_none_or(|named| named == value);
        is(self.client_id, pair.client_id)
            && is(self.isp, pair.isp)
            && is(self.network_type, pair.network_type)
            && is(self.target, pair.target)
    }

    /// Whether a pair of the fleet is of both places.
    pub(super) fn meets(&self, other: &Self) -> bool {
        fleet::pairs().any(|pair| self.includes(&pair) && other.includes(&pair))
    }
}

fn any_target(rng: &mut StdRng) -> Place {
    Place { target: Some(TARGETS[rng.random_range(0..TARGETS.len())].url), ..Place::default() }
}

fn any_isp(rng: &mut StdRng) -> Place {
    Place { isp: Some(ISPS[rng.random_range(0..ISPS.len())].name), ..Place::default() }
}

fn any_client(rng: &mut StdRng) -> Place {
    Place { client_id: Some(CLIENTS[rng.random_range(0..CLIENTS.len())]), ..Place::default() }
}

fn any_isp_and_target(rng: &mut StdRng) -> Place {
    Place { target: any_target(rng).target, ..any_isp(rng) }
}

fn any_network_type(rng: &mut StdRng) -> Place {
    Place { network_type: Some(NETWORKS[rng.random_range(0..NETWORKS.len())].name), ..Place::default() }
}
