//! A fleet of clients that measure targets once a minute, of which a test says what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{
    FleetChanges, FleetRules, Incident, IncidentChange, IncidentMember, IncidentRevision, IncidentState, Label, Look,
    Network, PairTags, Partition, Severity, Sighting, Standing, Tags, Unmeasured, WindowStart,
};

use crate::Fleet;

pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const SLOW: Standing = Standing::Degraded(Label::HandshakeBound, Severity::Minor);
pub(crate) const FAILING: Standing = Standing::Degraded(Label::ErrorBound, Severity::Critical);

/// A client and a target by their numbers.
pub(crate) type Of = (usize, usize);

/// Incident, client and target.
pub(crate) type MemberKey = (Arc<str>, Arc<str>, Arc<str>);

/// Clients in providers and sites of `clients_a_provider`, and targets.
pub(crate) struct Scenario {
    pub(crate) fleet: Fleet,
    pub(crate) clients: usize,
    pub(crate) targets: usize,
    clients_a_provider: usize,
    /// The labels of a client and of a target, as JSON.
    pub(crate) labels: fn(Of) -> [String; 2],
    minute: i64,
    pub(crate) incidents: BTreeMap<Arc<str>, Incident>,
    pub(crate) members: BTreeMap<MemberKey, IncidentMember>,
    pub(crate) revisions: Vec<IncidentRevision>,
    pub(crate) unmeasured: BTreeMap<(Arc<str>, Arc<str>), Unmeasured>,
    pub(crate) last: FleetChanges,
}

impl Scenario {
    pub(crate) fn new(clients: usize, targets: usize, clients_a_provider: usize) -> Self {
        let rules = FleetRules { gap_windows: 6, flapping_gap_windows: 12, ..FleetRules::default() };
        Self {
            fleet: Fleet::new(&rules, MINUTE_MS),
            clients,
            targets,
            clients_a_provider,
            labels: |_| ["{}", "{}"].map(str::to_owned),
            minute: 1000,
            incidents: BTreeMap::new(),
            members: BTreeMap::new(),
            revisions: Vec::new(),
            unmeasured: BTreeMap::new(),
            last: FleetChanges::default(),
        }
    }

    /// The window that the next minutes begin with.
    pub(crate) fn now(&self) -> WindowStart {
        minute(self.minute)
    }

    /// So many minutes in which every pair is measured, and stands as this says.
    pub(crate) fn minutes(&mut self, count: i64, standing: impl Fn(Of) -> Standing) {
        self.minutes_of(count, |of, _| Some(standing(of)));
    }

    /// So many minutes in which the pairs are measured that this says.
    pub(crate) fn minutes_of(&mut self, count: i64, standing: impl Fn(Of, i64) -> Option<Standing>) {
        for number in 0..count {
            let window = self.now();
            let pairs = (0..self.clients).flat_map(|client| (0..self.targets).map(move |target| (client, target)));
            let seen: Vec<_> = pairs.filter_map(|of| Some((of, window, standing(of, number)?))).collect();
            self.look(&seen);
        }
    }

    /// One look, a minute after the last one.
    pub(crate) fn look(&mut self, seen: &[(Of, WindowStart, Standing)]) {
        self.minute += 1;
        let sightings = seen.iter().map(|(of, window, standing)| self.sighting(*of, *window, *standing)).collect();
        let look = Look { partition: Partition(0), at: self.now(), sightings };
        let changes = self.fleet.advance(self.now(), vec![look]);
        self.take(changes);
    }

    pub(crate) fn sighting(&self, (client, target): Of, window: WindowStart, standing: Standing) -> Sighting {
        let provider = client / self.clients_a_provider;
        let network_type = if client % 2 == 0 { "wifi" } else { "ethernet" };
        let network =
            Network::named(Some(network_type), Some(&format!("isp-{provider}")), Some(&format!("site-{provider}")));
        let [of_client, of_target] = (self.labels)((client, target)).map(|json| Tags::parse(&json).unwrap());
        let tags = PairTags::of(of_client, of_target);
        Sighting {
            client_id: format!("probe-{client}").into(),
            target: format!("https://t{target}.example/").into(),
            window,
            standing,
            network: network.map(Arc::new),
            tags: tags.map(Arc::new),
        }
    }

    fn take(&mut self, changes: FleetChanges) {
        for incident in &changes.incidents {
            self.incidents.insert(Arc::clone(&incident.id.0), incident.clone());
        }
        for member in &changes.members {
            let key = (Arc::clone(&member.incident.0), Arc::clone(&member.client_id), Arc::clone(&member.target));
            self.members.insert(key, member.clone());
        }
        changes.incidents.iter().for_each(|incident| self.counts_its_members(incident));
        self.revisions.extend(changes.revisions.iter().cloned());
        for unmeasured in &changes.unmeasured {
            let key = (Arc::clone(&unmeasured.client_id), Arc::clone(&unmeasured.target));
            self.unmeasured.insert(key, unmeasured.clone());
        }
        changes.measured_again.iter().for_each(|key| assert!(self.unmeasured.remove(key).is_some(), "{key:?}"));
        assert_eq!(changes.tally.unmeasured as usize, self.unmeasured.len());
        self.last = changes;
    }

    /// What is told of the number of members is what has been told of the members.
    fn counts_its_members(&self, incident: &Incident) {
        let members = || self.members.keys().filter(|(id, ..)| *id == incident.id.0);
        let clients: BTreeSet<_> = members().map(|(_, client, _)| client).collect();
        let targets: BTreeSet<_> = members().map(|(.., target)| target).collect();
        let told = [incident.pairs, incident.clients, incident.targets];
        assert_eq!(told, [members().count(), clients.len(), targets.len()].map(|count| count as u32), "{incident:?}");
    }

    /// Incidents as `label cause state`, by when they opened.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut incidents: Vec<_> = self.incidents.values().collect();
        incidents.sort_by_key(|incident| (incident.opened, &incident.cause, incident.id.clone()));
        let text = |incident: &Incident| {
            let value = incident.cause.texts().join(" ");
            format!("{} {} {value} {}", incident.label, incident.cause.dimension_name(), incident.state.as_str())
        };
        incidents.into_iter().map(text).collect()
    }

    /// The only incident.
    pub(crate) fn only(&self) -> &Incident {
        assert_eq!(self.incidents.len(), 1, "{:?}", self.told());
        self.incidents.values().next().unwrap()
    }

    pub(crate) fn open(&self) -> usize {
        self.incidents.values().filter(|incident| incident.state == IncidentState::Open).count()
    }

    pub(crate) fn changes(&self) -> Vec<IncidentChange> {
        self.revisions.iter().map(|revision| revision.change).collect()
    }
}

pub(crate) fn minute(number: i64) -> WindowStart {
    WindowStart::from_ms(number * MINUTE_MS)
}

pub(crate) fn healthy(_: Of) -> Standing {
    Standing::Healthy
}

pub(crate) fn if_is(is_wrong: bool, standing: Standing) -> Standing {
    if is_wrong { standing } else { Standing::Healthy }
}
