//! The fold: looks in, changes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{
    Cause, FleetChanges, FleetRules, IncidentId, Label, Look, Network, PairTally, Sighting, WindowStart,
};

use crate::incident::OpenIncident;
use crate::life::Life;
use crate::localise::Bar;
use crate::pair::Pair;
use crate::space::{LABELS, PairId, Space};

const HOUR_MS: i64 = 3_600_000;

/// What is known of the fleet after some looks.
#[derive(Debug)]
pub struct Fleet {
    pub(crate) rules: FleetRules,
    pub(crate) window_ms: i64,
    pub(crate) bar: Bar,
    pub(crate) through: Option<WindowStart>,
    pub(crate) space: Space,
    /// By label, and then by when they opened.
    pub(crate) open: [Vec<OpenIncident>; LABELS],
    /// The ids that were given lately, and when.
    pub(crate) given: BTreeMap<IncidentId, WindowStart>,
    /// Causes that were found at the newest look and are told if the next one finds them again, with the first window of their
    /// evidence.
    pub(crate) waiting: BTreeMap<(Label, Cause), WindowStart>,
    /// Which pairs are asked at which look whether they are silent. A pair is in the list of its `asked_at`; where it is in
    /// another one too, that is ignored.
    pub(crate) ask: BTreeMap<WindowStart, Vec<PairId>>,
}

impl Fleet {
    /// A fleet of which nothing is known.
    pub fn new(rules: &FleetRules, window_ms: i64) -> Self {
        Self {
            rules: rules.clone(),
            window_ms: window_ms.max(1),
            bar: Bar::new(rules),
            through: None,
            space: Space::new(rules),
            open: Default::default(),
            given: BTreeMap::new(),
            waiting: BTreeMap::new(),
            ask: BTreeMap::new(),
        }
    }

    /// The newest look that was folded in.
    pub fn through(&self) -> Option<WindowStart> {
        self.through
    }

    /// Counts the revisions of an open incident from this many on: it was told before, and withdrawn.
    pub fn renumber(&mut self, incident: &IncidentId, by: u32) {
        let open = self.open.iter_mut().flatten().find(|open| open.id() == incident);
        open.into_iter().for_each(|open| open.told.revision += by);
    }

    /// How its pairs stand at the newest look.
    pub fn tally(&self) -> PairTally {
        self.space.tally()
    }

    /// Whether nothing is known any more that time alone could change. Times without a look may be left out then: they would
    /// change nothing.
    pub fn is_at_rest(&self) -> bool {
        self.ask.is_empty() && self.waiting.is_empty() && self.given.is_empty() && self.open.iter().all(Vec::is_empty)
    }

    /// Folds in the looks of all partitions at one time, in any order. Times come one after the other, a window's length
    /// apart; one that is not newer than the last changes nothing.
    pub fn advance(&mut self, at: WindowStart, looks: Vec<Look>) -> FleetChanges {
        let mut changes = FleetChanges { at, ..FleetChanges::default() };
        if self.through.is_none_or(|through| at > through) {
            self.through = Some(at);
            let changed = self.see(looks, &mut changes);
            self.ask_for_silence(at, &mut changes);
            self.follow_incidents(at, &changed, &mut changes);
            self.given.retain(|_, given| at.ms() - given.ms() <= i64::from(self.rules.forget_hours) * HOUR_MS);
        }
        changes.tally = self.space.tally();
        in_order(&mut changes);
        changes
    }

    /// Takes in what was seen. Answers the pairs that have changed.
    fn see(&mut self, looks: Vec<Look>, changes: &mut FleetChanges) -> Vec<PairId> {
        let mut sightings: Vec<_> = looks.into_iter().flat_map(|look| look.sightings).collect();
        sightings.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut changed = Vec::with_capacity(sightings.len());
        for of_pair in sightings.chunk_by(|a, b| a.client_id == b.client_id && a.target == b.target) {
            changed.push(self.see_pair(of_pair, changes));
        }
        changed
    }

    fn see_pair(&mut self, sightings: &[Sighting], changes: &mut FleetChanges) -> PairId {
        let first = &sightings[0];
        let id = self.space.find(&first.client_id, &first.target).unwrap_or_else(|| {
            let mut pair = Pair::new(Arc::clone(&first.client_id), Arc::clone(&first.target));
            // With these it need not be moved at once to the causes that follow from them.
            pair.network = named_network(&pair, sightings).cloned();
            pair.tags = sightings.last().and_then(|sighting| sighting.tags.clone());
            self.space.add(pair, &self.rules)
        });
        self.follow_network(id, sightings);
        self.follow_labels(id, sightings);
        let (missed_windows, window_ms) = (self.rules.missed_windows, self.window_ms);
        let silent_at = self.space.update(id, |pair| {
            let was_silent = pair.present.is_none();
            sightings.iter().for_each(|sighting| pair.see(sighting, window_ms));
            let silent_at = pair.silent_at(missed_windows, window_ms);
            if was_silent && silent_at <= changes.at {
                // What came late tells of the past.
                pair.present = None;
            } else if std::mem::take(&mut pair.unmeasured) {
                changes.measured_again.push((Arc::clone(&pair.client), Arc::clone(&pair.target)));
            }
            silent_at
        });
        if silent_at < self.space.pair(id).asked_at {
            self.ask_at(id, silent_at);
        }
        id
    }

    /// The newest window that names a network decides, unless a newer one has been seen.
    fn follow_network(&mut self, id: PairId, sightings: &[Sighting]) {
        let pair = self.space.pair(id);
        if let Some(network) = named_network(pair, sightings)
            && pair.network.as_ref() != Some(network)
        {
            self.space.move_by(id, |pair| pair.network = Some(Arc::clone(network)), &self.rules);
        }
    }

    /// The newest window decides, also where it has none: people take labels away.
    fn follow_labels(&mut self, id: PairId, sightings: &[Sighting]) {
        let pair = self.space.pair(id);
        let newest = pair.newest().unwrap_or_default();
        let Some(sighting) = sightings.last().filter(|sighting| sighting.window >= newest) else { return };
        if pair.tags != sighting.tags {
            self.space.move_by(id, |pair| pair.tags.clone_from(&sighting.tags), &self.rules);
        }
    }

    pub(crate) fn ask_at(&mut self, id: PairId, at: WindowStart) {
        self.space.note(id, |pair| pair.asked_at = at);
        self.ask.entry(at).or_default().push(id);
    }

    fn ask_for_silence(&mut self, at: WindowStart, changes: &mut FleetChanges) {
        let later = self.ask.split_off(&WindowStart::from_ms(at.ms().saturating_add(1)));
        let due = std::mem::replace(&mut self.ask, later);
        for (asked_at, pairs) in due {
            for id in pairs {
                if self.space.exists(id) && self.space.pair(id).asked_at == asked_at {
                    self.ask_pair(id, at, changes);
                }
            }
        }
    }

    fn ask_pair(&mut self, id: PairId, at: WindowStart, changes: &mut FleetChanges) {
        let pair = self.space.pair(id);
        let silent_at = pair.silent_at(self.rules.missed_windows, self.window_ms);
        if silent_at > at {
            return self.ask_at(id, silent_at);
        }
        let forget_ms = i64::from(self.rules.forget_hours) * HOUR_MS;
        let forget_at = WindowStart::from_ms(pair.newest().unwrap_or_default().ms().saturating_add(forget_ms));
        if at >= forget_at && pair.memberships == 0 {
            if pair.unmeasured {
                changes.measured_again.push((Arc::clone(&pair.client), Arc::clone(&pair.target)));
            }
            return self.space.remove(id);
        }
        if pair.present.is_some() {
            self.space.change(id, |pair| {
                pair.present = None;
                pair.unmeasured = pair.rhythm.is_known();
            });
            let pair = self.space.pair(id);
            if pair.unmeasured {
                changes.unmeasured.push(pair.as_unmeasured(self.window_ms));
            }
        }
        let next = WindowStart::from_ms(at.ms() + self.window_ms);
        self.ask_at(id, forget_at.max(next));
    }

    fn follow_incidents(&mut self, at: WindowStart, changed: &[PairId], changes: &mut FleetChanges) {
        let Self { rules, window_ms, bar, space, open: others, given, waiting, .. } = self;
        let mut waiting_next = BTreeMap::new();
        for label in Label::ALL.into_iter().take(LABELS) {
            let life = Life {
                label,
                at,
                window_ms: *window_ms,
                rules,
                bar,
                space,
                open: std::mem::take(&mut others[label as usize]),
                others,
                waiting,
                waiting_next: &mut waiting_next,
                given,
                changes,
            };
            let open = life.look(changed);
            others[label as usize] = open;
        }
        *waiting = waiting_next;
    }
}

/// The network that the newest sighting names which names any, unless a newer one has been seen.
fn named_network<'a>(pair: &Pair, sightings: &'a [Sighting]) -> Option<&'a Arc<Network>> {
    let newest = pair.newest().unwrap_or_default();
    let named = sightings.iter().rev().find(|sighting| sighting.network.is_some() && sighting.window >= newest);
    named.and_then(|sighting| sighting.network.as_ref())
}

/// What sightings of one look are ordered by, whatever partitions brought them.
fn key(sighting: &Sighting) -> impl Ord + '_ {
    let Sighting { client_id, target, window, standing, network, tags } = sighting;
    (client_id, target, window, standing, network, tags)
}

/// In an order that follows from names. Revisions stay in the order in which they came about, incident by incident.
fn in_order(changes: &mut FleetChanges) {
    let FleetChanges { incidents, members, revisions, unmeasured, measured_again, .. } = changes;
    incidents.sort_by(|a, b| a.id.cmp(&b.id));
    members.sort_by(|a, b| (&a.incident, &a.client_id, &a.target).cmp(&(&b.incident, &b.client_id, &b.target)));
    // One that was taken in and changed in the same look stands there twice, the newest last.
    members.reverse();
    members.dedup_by(|a, b| (&a.incident, &a.client_id, &a.target) == (&b.incident, &b.client_id, &b.target));
    members.reverse();
    revisions.sort_by(|a, b| (&a.incident, a.revision).cmp(&(&b.incident, b.revision)));
    unmeasured.sort_by(|a, b| (&a.client_id, &a.target).cmp(&(&b.client_id, &b.target)));
    measured_again.sort();
}
