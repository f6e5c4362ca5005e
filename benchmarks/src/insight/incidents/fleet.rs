//! The names of a simulated fleet, as looks and causes write them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{Cause, Dimension, FleetRules, Network, Sighting, Standing, WindowStart};
use netqoe_simulator::simulation::{Fault, Pair, Simulation};

/// Names, and which pairs each cause holds.
pub(super) struct Names {
    clients: Vec<(Arc<str>, Arc<Network>)>,
    targets: Vec<Arc<str>>,
    hostings: BTreeMap<String, Vec<String>>,
    numbers: BTreeMap<Arc<str>, usize>,
    pairs: BTreeMap<Cause, BTreeSet<Pair>>,
}

impl Names {
    pub(super) fn new(simulation: &Simulation) -> Self {
        let fleet = simulation.fleet();
        let client =
            |(number, client): (usize, &netqoe_simulator::simulation::Client)| {
                let (isp, site) = (format!("isp-{}", client.provider), format!("site-{}", client.site));
                let network = Network::named(Some(client.access.as_str()), Some(&isp), Some(&site))
                    .unwrap_or(Network { network_type: None, isp: None, site: None });
                (Arc::from(format!("probe-{number}")), Arc::new(network))
            };
        let clients: Vec<(Arc<str>, _)> = fleet.clients.iter().enumerate().map(client).collect();
        let host = |number: usize, hosting: usize| format!("t{number}.h{hosting}.example");
        let targets: Vec<Arc<str>> = (0..)
            .zip(&fleet.targets)
            .map(|(number, target)| Arc::from(format!("https://{}/", host(number, target.hosting))))
            .collect();
        let hostings = fleet
            .targets
            .iter()
            .map(|target| (hosting_name(target.hosting), vec![format!("*.h{}.example", target.hosting)]));
        let numbers = clients.iter().map(|(name, _)| name).chain(&targets);
        let numbers = numbers.cloned().zip((0..clients.len()).chain(0..targets.len())).collect();
        let mut names = Self { hostings: hostings.collect(), numbers, pairs: BTreeMap::new(), clients, targets };
        for pair in fleet.pairs() {
            for cause in names.causes(pair, fleet.target(pair).hosting) {
                names.pairs.entry(cause).or_default().insert(pair);
            }
        }
        names
    }

    fn causes(&self, pair: Pair, hosting: usize) -> Vec<Cause> {
        let (client, network) = &self.clients[pair.client];
        let target = &self.targets[pair.target];
        let Network { network_type: Some(network_type), isp: Some(isp), site: Some(site) } = &**network else {
            return Vec::new();
        };
        let host: Arc<str> = target.trim_start_matches("https://").trim_end_matches('/').into();
        let hosting: Arc<str> = hosting_name(hosting).into();
        let cause = |dimension, value: &[&Arc<str>]| Cause {
            dimension,
            value: value.iter().map(|text| Arc::clone(text)).collect(),
        };
        vec![
            cause(Dimension::Client, &[client]),
            cause(Dimension::Target, &[target]),
            cause(Dimension::Host, &[&host]),
            cause(Dimension::IspTarget, &[isp, target]),
            cause(Dimension::SiteNetworkType, &[site, network_type]),
            cause(Dimension::Site, &[site]),
            cause(Dimension::Hosting, &[&hosting]),
            cause(Dimension::Isp, &[isp]),
            cause(Dimension::NetworkType, &[network_type]),
            cause(Dimension::Everything, &[]),
        ]
    }

    #[cfg(test)]
    pub(super) fn cause_of_target(&self, target: usize) -> Cause {
        Cause { dimension: Dimension::Target, value: vec![Arc::clone(&self.targets[target])] }
    }

    /// The rules, with the hosting networks of this fleet.
    pub(super) fn rules(&self, rules: &FleetRules) -> FleetRules {
        FleetRules { hosting: self.hostings.clone(), ..rules.clone() }
    }

    pub(super) fn sightings(
        &self,
        pair: Pair,
        seen: Vec<(WindowStart, Standing)>,
    ) -> impl Iterator<Item = Sighting> + use<> {
        let (client_id, network) = self.clients[pair.client].clone();
        let target = Arc::clone(&self.targets[pair.target]);
        seen.into_iter().map(move |(window, standing)| {
            let (client_id, target) = (Arc::clone(&client_id), Arc::clone(&target));
            Sighting { client_id, target, window, standing, network: Some(Arc::clone(&network)), tags: None }
        })
    }

    pub(super) fn pair(&self, client: &str, target: &str) -> Pair {
        let number = |name| self.numbers.get(name).copied().unwrap_or_default();
        Pair { client: number(client), target: number(target) }
    }

    /// Whether a cause holds the pairs that a fault hurts, and no others.
    pub(super) fn is_scope(&self, cause: &Cause, fault: &Fault, simulation: &Simulation) -> bool {
        let fleet = simulation.fleet();
        let held = fleet.pairs().filter(|pair| fault.scope.holds(fleet, *pair));
        self.pairs.get(cause).is_some_and(|pairs| held.eq(pairs.iter().copied()))
    }
}

fn hosting_name(number: usize) -> String {
    format!("hosting-{number}")
}
