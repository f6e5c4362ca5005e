//! All pairs and the causes that hold them, with counts that are kept as pairs change.
//!
//! A pair adds to the counts of each of its causes. Before anything of a pair changes that the counts depend on, it is taken
//! out of them, and put in again after it: [`Space::change`]. So a look costs what its changed pairs cost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;
use netqoe_model::{Cause, Dimension, FleetRules, Label, Network, PairTags, PairTally, Standing, Weight, WindowStart};

use crate::host::host_of;
use crate::pair::{Pair, Place, Run, degraded};

/// Labels that say that something hurts.
pub(crate) const LABELS: usize = 5;
const SEVERITIES: usize = 3;
/// The place of suspected pairs after those of the severities.
const SUSPECTED: usize = SEVERITIES;

/// A pair, by its place in memory: never a reason to prefer one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PairId(u32);

/// A cause, by its place in memory: never a reason to prefer one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CauseId(u32);

impl PairId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl CauseId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an open incident does to the pairs of its cause, for one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// They are in an open incident.
    Open,
    /// That incident stands: it explains them, and no other cause is looked for.
    Standing,
}

/// Pairs that speak for a cause and against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Those with the label, ...
    pub(crate) degraded: u32,
    /// ... those that are suspected of it, ...
    pub(crate) suspected: u32,
    /// ... and those that are healthy.
    pub(crate) healthy: u32,
}

impl Evidence {
    pub(crate) fn weight(self) -> Weight {
        Weight { degraded: self.for_it(), healthy: self.healthy }
    }

    pub(crate) fn for_it(self) -> u32 {
        self.degraded + self.suspected
    }

    /// Counts a pair. One with another label, or none at all, does not count.
    pub(crate) fn count(&mut self, present: Option<Standing>, label: Label) {
        match present {
            Some(Standing::Suspected(found)) if found == label => self.suspected += 1,
            Some(standing) => match degraded(standing) {
                Some((found, _)) => self.degraded += u32::from(found == label),
                None => self.healthy += u32::from(speaks_against(standing, label)),
            },
            None => {}
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            degraded: self.degraded + other.degraded,
            suspected: self.suspected + other.suspected,
            healthy: self.healthy + other.healthy,
        }
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self {
            degraded: self.degraded - other.degraded,
            suspected: self.suspected - other.suspected,
            healthy: self.healthy - other.healthy,
        }
    }
}

/// A cause and the counts of its pairs.
#[derive(Debug)]
struct Entry {
    cause: Cause,
    pairs: Vec<PairId>,
    healthy: u32,
    working: u32,
    /// By label: those with each severity, and those that are suspected.
    degraded: [[u32; SEVERITIES + 1]; LABELS],
    /// Those that a standing incident of the label explains.
    explained: [Evidence; LABELS],
    /// Labels of which an incident with this cause is open, and stands: a bit each.
    open: u8,
    standing: u8,
}

impl Entry {
    fn new(cause: Cause) -> Self {
        Self {
            cause,
            pairs: Vec::new(),
            healthy: 0,
            working: 0,
            degraded: Default::default(),
            explained: Default::default(),
            open: 0,
            standing: 0,
        }
    }

    fn of_label(&self, label: usize) -> u32 {
        self.degraded[label].iter().sum()
    }

    /// Pairs that speak against a label.
    fn against(&self, label: usize) -> u32 {
        let counts_working = speaks_against(Standing::Working, Label::ALL[label]);
        self.healthy + if counts_working { self.working } else { 0 }
    }

    fn evidence(&self, label: usize) -> Evidence {
        let suspected = self.degraded[label][SUSPECTED];
        Evidence { degraded: self.of_label(label) - suspected, suspected, healthy: self.against(label) }
    }

    fn unexplained(&self, label: usize) -> Evidence {
        self.evidence(label).without(self.explained[label])
    }
}

/// What is kept for each label.
#[derive(Debug, Default)]
struct OfLabel {
    /// Causes with enough unexplained pairs to be named.
    candidates: BTreeSet<CauseId>,
    /// When the pairs that are in no open incident began with the label.
    strays: BTreeMap<WindowStart, u32>,
}

/// Pairs and causes.
#[derive(Debug)]
pub(crate) struct Space {
    least_pairs: u32,
    pairs: Vec<Option<Pair>>,
    free_pairs: Vec<PairId>,
    by_name: HashMap<Arc<str>, HashMap<Arc<str>, PairId>>,
    causes: Vec<Option<Entry>>,
    free_causes: Vec<CauseId>,
    by_cause: HashMap<Cause, CauseId>,
    /// Of each target that a pair has: to find the host of a URL takes longer than all else of a new pair.
    hosts: HashMap<Arc<str>, Hosts>,
    labels: [OfLabel; LABELS],
    tally: PairTally,
}

impl Space {
    pub(crate) fn new(rules: &FleetRules) -> Self {
        Self {
            least_pairs: rules.least_pairs,
            pairs: Vec::new(),
            free_pairs: Vec::new(),
            by_name: HashMap::new(),
            causes: Vec::new(),
            free_causes: Vec::new(),
            by_cause: HashMap::new(),
            hosts: HashMap::new(),
            labels: Default::default(),
            tally: PairTally::default(),
        }
    }

    pub(crate) fn tally(&self) -> PairTally {
        self.tally
    }

    /// The pair that is known by this name.
    pub(crate) fn find(&self, client: &str, target: &str) -> Option<PairId> {
        self.by_name.get(client)?.get(target).copied()
    }

    /// A pair that exists.
    #[allow(clippy::expect_used)]
    pub(crate) fn pair(&self, id: PairId) -> &Pair {
        self.pairs[id.index()].as_ref().expect("ids are handed out for pairs that exist, and go with them")
    }

    pub(crate) fn exists(&self, id: PairId) -> bool {
        self.pairs[id.index()].is_some()
    }

    #[allow(clippy::expect_used)]
    fn entry(&self, id: CauseId) -> &Entry {
        self.causes[id.index()].as_ref().expect("ids are handed out for causes that exist, and go with them")
    }

    #[allow(clippy::expect_used)]
    fn entry_mut(causes: &mut [Option<Entry>], id: CauseId) -> &mut Entry {
        causes[id.index()].as_mut().expect("ids are handed out for causes that exist, and go with them")
    }

    /// All pairs, in no order that means anything.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (PairId, &Pair)> {
        (0..).map(PairId).zip(&self.pairs).filter_map(|(id, pair)| Some((id, pair.as_ref()?)))
    }

    /// Adds a pair that is not known yet.
    pub(crate) fn add(&mut self, mut pair: Pair, rules: &FleetRules) -> PairId {
        let id = self.free_pairs.pop().unwrap_or(PairId(self.pairs.len() as u32));
        let causes = Self::known_causes(&mut self.hosts, &pair, rules);
        // One copy of each name, whatever number of pairs bear it.
        let client = self.cause_id(&causes[0]);
        let target = self.cause_id(&causes[1]);
        pair.client = Arc::clone(&self.entry(client).cause.value[0]);
        pair.target = Arc::clone(&self.entry(target).cause.value[0]);
        self.by_name.entry(Arc::clone(&pair.client)).or_default().insert(Arc::clone(&pair.target), id);
        if id.index() == self.pairs.len() {
            self.pairs.push(None);
        }
        self.pairs[id.index()] = Some(pair);
        self.place(id, &causes);
        self.count(id, true);
        id
    }

    /// Forgets a pair.
    pub(crate) fn remove(&mut self, id: PairId) {
        self.count(id, false);
        let places = self.take_places(id);
        self.leave(places);
        let Some(pair) = self.pairs[id.index()].take() else { return };
        if let Some(of_client) = self.by_name.get_mut(&pair.client) {
            of_client.remove(&pair.target);
            if of_client.is_empty() {
                self.by_name.remove(&pair.client);
            }
        }
        self.free_pairs.push(id);
    }

    /// Changes a pair in what the counts depend on: its standing, its run, whether it is unmeasured.
    #[allow(clippy::expect_used)]
    pub(crate) fn change<T>(&mut self, id: PairId, change: impl FnOnce(&mut Pair) -> T) -> T {
        self.count(id, false);
        let changed = change(self.pairs[id.index()].as_mut().expect("a pair that exists"));
        self.count(id, true);
        changed
    }

    /// Changes a pair that is mostly left as it is in what the counts depend on: they are followed where it is not.
    #[allow(clippy::expect_used)]
    pub(crate) fn update<T>(&mut self, id: PairId, change: impl FnOnce(&mut Pair) -> T) -> T {
        let pair = self.pairs[id.index()].as_mut().expect("a pair that exists");
        let before = (pair.present, pair.run, pair.unmeasured);
        let changed = change(pair);
        let after = (pair.present, pair.run, pair.unmeasured);
        let since = |run: Option<Run>| run.map(|run| run.since);
        if (before.0, since(before.1), before.2) != (after.0, since(after.1), after.2) {
            (pair.present, pair.run, pair.unmeasured) = before;
            self.change(id, |pair| (pair.present, pair.run, pair.unmeasured) = after);
        }
        changed
    }

    /// Changes a pair in what no count depends on.
    #[allow(clippy::expect_used)]
    pub(crate) fn note(&mut self, id: PairId, change: impl FnOnce(&mut Pair)) {
        change(self.pairs[id.index()].as_mut().expect("a pair that exists"));
    }

    /// Changes a pair in what its causes follow from, its network or its labels, and moves it to these.
    ///
    /// It is placed before it leaves its former places: the causes that hold it before and after, such as its client, are then
    /// never empty and keep their ids, by which an incident counts the clients and targets of its members.
    pub(crate) fn move_by(&mut self, id: PairId, change: impl FnOnce(&mut Pair), rules: &FleetRules) {
        self.count(id, false);
        let former = self.take_places(id);
        self.note(id, change);
        if let Some(pair) = &self.pairs[id.index()] {
            let causes = Self::known_causes(&mut self.hosts, pair, rules);
            self.place(id, &causes);
        }
        self.leave(former);
        self.count(id, true);
    }

    /// The causes that hold a pair, whose target's hosts are looked up once.
    fn known_causes(known: &mut HashMap<Arc<str>, Hosts>, pair: &Pair, rules: &FleetRules) -> Vec<Cause> {
        if !known.contains_key(&pair.target) {
            known.insert(Arc::clone(&pair.target), Hosts::of(&pair.target, rules));
        }
        let hosts = &known[&pair.target];
        causes_with(&pair.client, &pair.target, hosts, pair.network.as_deref(), pair.tags.as_deref())
    }

    fn place(&mut self, id: PairId, causes: &[Cause]) {
        let mut places = Vec::with_capacity(causes.len());
        for cause in causes {
            let cause = self.cause_id(cause);
            let entry = Self::entry_mut(&mut self.causes, cause);
            places.push(Place { cause, index: entry.pairs.len() as u32 });
            entry.pairs.push(id);
        }
        self.note(id, |pair| pair.causes = places);
    }

    fn take_places(&mut self, id: PairId) -> Vec<Place> {
        let mut places = Vec::new();
        self.note(id, |pair| places = std::mem::take(&mut pair.causes));
        places
    }

    /// Empties the places that a pair had.
    fn leave(&mut self, places: Vec<Place>) {
        for Place { cause, index } in places {
            let entry = Self::entry_mut(&mut self.causes, cause);
            entry.pairs.swap_remove(index as usize);
            if let Some(moved) = entry.pairs.get(index as usize).copied() {
                self.note(moved, |pair| {
                    if let Some(place) = pair.causes.iter_mut().find(|place| place.cause == cause) {
                        place.index = index;
                    }
                });
            }
            self.drop_if_empty(cause);
        }
    }

    /// The id of a cause, which exists from then on.
    pub(crate) fn cause_id(&mut self, cause: &Cause) -> CauseId {
        if let Some(id) = self.by_cause.get(cause) {
            return *id;
        }
        let id = self.free_causes.pop().unwrap_or(CauseId(self.causes.len() as u32));
        if id.index() == self.causes.len() {
            self.causes.push(None);
        }
        self.causes[id.index()] = Some(Entry::new(cause.clone()));
        self.by_cause.insert(cause.clone(), id);
        id
    }

    fn drop_if_empty(&mut self, id: CauseId) {
        let entry = self.entry(id);
        if !entry.pairs.is_empty() || entry.open != 0 {
            return;
        }
        if let Some(entry) = self.causes[id.index()].take() {
            self.by_cause.remove(&entry.cause);
            if entry.cause.dimension == Dimension::Target {
                entry.cause.value.first().and_then(|target| self.hosts.remove(target));
            }
            self.free_causes.push(id);
        }
    }

    /// Puts a pair into the counts, or takes it out.
    fn count(&mut self, id: PairId, is_in: bool) {
        let Self { pairs, causes, labels, tally, .. } = self;
        let Some(pair) = &pairs[id.index()] else { return };
        let add = |count: &mut u32| *count = if is_in { *count + 1 } else { *count - 1 };
        match pair.present {
            None if pair.unmeasured => add(&mut tally.unmeasured),
            None => {}
            Some(standing) => match degraded(standing) {
                Some((label, severity)) => {
                    let is_suspected = matches!(standing, Standing::Suspected(_));
                    add(if is_suspected { &mut tally.healthy } else { &mut tally.degraded });
                    let (open, standing) = marks(pair, causes);
                    let (label, place_of) = (label as usize, if is_suspected { SUSPECTED } else { severity as usize });
                    for place in &pair.causes {
                        let entry = Self::entry_mut(causes, place.cause);
                        add(&mut entry.degraded[label][place_of]);
                        if standing & (1 << label) != 0 {
                            let explained = &mut entry.explained[label];
                            add(if is_suspected { &mut explained.suspected } else { &mut explained.degraded });
                        }
                        if entry.unexplained(label).for_it() >= self.least_pairs {
                            labels[label].candidates.insert(place.cause);
                        } else {
                            labels[label].candidates.remove(&place.cause);
                        }
                    }
                    if open & (1 << label) == 0
                        && let Some(run) = pair.run
                    {
                        count_stray(&mut labels[label].strays, run.since, is_in);
                    }
                }
                None if standing == Standing::Unjudged => add(&mut tally.unjudged),
                None => {
                    let is_working = standing == Standing::Working;
                    add(if is_working { &mut tally.unjudged } else { &mut tally.healthy });
                    let (_, marked) = marks(pair, causes);
                    for place in &pair.causes {
                        let entry = Self::entry_mut(causes, place.cause);
                        add(if is_working { &mut entry.working } else { &mut entry.healthy });
                        if marked != 0 {
                            let explained = entry.explained.iter_mut().zip(Label::ALL).enumerate();
                            explained
                                .filter(|(bit, (_, label))| {
                                    marked & (1 << bit) != 0 && speaks_against(standing, *label)
                                })
                                .for_each(|(_, (explained, _))| add(&mut explained.healthy));
                        }
                    }
                }
            },
        }
    }

    /// Marks a cause, or takes the mark away.
    pub(crate) fn mark(&mut self, id: CauseId, label: Label, mark: Mark, is_set: bool) {
        let bit = 1 << label as usize;
        let entry = self.entry(id);
        let present = if mark == Mark::Open { entry.open } else { entry.standing };
        if (present & bit != 0) == is_set {
            return;
        }
        let members = entry.pairs.clone();
        members.iter().for_each(|pair| self.count(*pair, false));
        let entry = Self::entry_mut(&mut self.causes, id);
        let marks = if mark == Mark::Open { &mut entry.open } else { &mut entry.standing };
        *marks ^= bit;
        members.iter().for_each(|pair| self.count(*pair, true));
        self.drop_if_empty(id);
    }

    pub(crate) fn is_open(&self, id: CauseId, label: Label) -> bool {
        self.entry(id).open & (1 << label as usize) != 0
    }

    /// Whether a standing incident of the label explains the pair.
    pub(crate) fn is_explained(&self, pair: PairId, label: Label) -> bool {
        self.pair(pair).causes.iter().any(|place| self.entry(place.cause).standing & (1 << label as usize) != 0)
    }

    pub(crate) fn cause(&self, id: CauseId) -> &Cause {
        &self.entry(id).cause
    }

    /// Pairs of a cause, in no order that means anything.
    pub(crate) fn pairs_of(&self, id: CauseId) -> &[PairId] {
        &self.entry(id).pairs
    }

    /// The observed pairs of a cause that have the label or are suspected of it, and those that are healthy.
    pub(crate) fn weight(&self, id: CauseId, label: Label) -> Weight {
        let entry = self.entry(id);
        Weight { degraded: entry.of_label(label as usize), healthy: entry.against(label as usize) }
    }

    pub(crate) fn evidence(&self, id: CauseId, label: Label) -> Evidence {
        self.entry(id).evidence(label as usize)
    }

    /// The same without those that a standing incident explains.
    pub(crate) fn unexplained(&self, id: CauseId, label: Label) -> Evidence {
        self.entry(id).unexplained(label as usize)
    }

    /// Pairs of a cause that have the label, by severity.
    pub(crate) fn severities(&self, id: CauseId, label: Label) -> [u32; SEVERITIES] {
        let [minor, major, critical, _] = self.entry(id).degraded[label as usize];
        [minor, major, critical]
    }

    /// Causes with enough unexplained pairs to be named, in no order that means anything.
    pub(crate) fn candidates(&self, label: Label) -> &BTreeSet<CauseId> {
        &self.labels[label as usize].candidates
    }

    /// How many causes have had a place in memory.
    pub(crate) fn cause_places(&self) -> usize {
        self.causes.len()
    }

    pub(crate) fn pair_places(&self) -> usize {
        self.pairs.len()
    }

    /// Pairs in no open incident that began with the label from one window to another.
    pub(crate) fn strays(&self, label: Label, from: WindowStart, to: WindowStart) -> u32 {
        self.labels[label as usize].strays.range(from..=to).map(|(_, count)| count).sum()
    }

    /// The evidence of a cause, and that of another one without the pairs that both hold.
    pub(crate) fn evidence_beside(&self, id: CauseId, other: CauseId, label: Label) -> (Evidence, Evidence) {
        let mut both = Evidence::default();
        for pair in self.pairs_of(id).iter().map(|id| self.pair(*id)) {
            if pair.causes.iter().any(|place| place.cause == other) {
                both.count(pair.present, label);
            }
        }
        (self.entry(id).evidence(label as usize), self.entry(other).evidence(label as usize).without(both))
    }

    /// Whether so many of the pairs that have the label in a cause are pairs of another that this other one explains them.
    pub(crate) fn has_evidence_inside(&self, inner: CauseId, outer: CauseId, label: Label, share: f64) -> bool {
        let (a, b) = (self.entry(inner), self.entry(outer));
        let all = a.of_label(label as usize);
        if inner == outer || all == 0 || a.cause.shares_dimension(&b.cause) {
            return inner == outer && all > 0;
        }
        let has_label = |pair: &&Pair| pair.degraded().is_some_and(|(found, _)| found == label);
        let degraded = a.pairs.iter().map(|id| self.pair(*id)).filter(has_label);
        let inside = degraded.filter(|pair| pair.causes.iter().any(|place| place.cause == outer)).count();
        inside as f64 >= share * f64::from(all)
    }

    /// Whether so many of a cause's pairs are pairs of another that it is a part of it. A cause that has lost all of its pairs, as
    /// a team does that everybody has left, is a part of nothing.
    pub(crate) fn is_inside(&self, inner: CauseId, outer: CauseId, share: f64) -> bool {
        let (a, b) = (self.entry(inner), self.entry(outer));
        let least = share * a.pairs.len() as f64;
        // A pair has one value of a dimension, so two causes of one dimension have no pair in common.
        if a.cause.shares_dimension(&b.cause) || a.pairs.is_empty() || (b.pairs.len() as f64) < least {
            return inner == outer;
        }
        let holds = |pair: &&PairId| self.pair(**pair).causes.iter().any(|place| place.cause == outer);
        a.pairs.iter().filter(holds).count() as f64 >= least
    }
}

/// Whether a pair without a label speaks against one.
fn speaks_against(standing: Standing, label: Label) -> bool {
    match standing {
        Standing::Unjudged => false,
        Standing::Working => label == Label::ErrorBound,
        Standing::Healthy | Standing::Degraded(..) | Standing::Suspected(_) => true,
    }
}

/// The labels of which an open incident holds the pair, and of which a standing one does.
fn marks(pair: &Pair, causes: &[Option<Entry>]) -> (u8, u8) {
    let entries = pair.causes.iter().filter_map(|place| causes[place.cause.index()].as_ref());
    entries.fold((0, 0), |(open, standing), entry| (open | entry.open, standing | entry.standing))
}

fn count_stray(strays: &mut BTreeMap<WindowStart, u32>, since: WindowStart, is_in: bool) {
    let count = strays.entry(since).or_default();
    *count = if is_in { *count + 1 } else { *count - 1 };
    if *count == 0 {
        strays.remove(&since);
    }
}

/// The causes that hold a pair: its client, its target, and whatever else is known of them.
#[cfg(test)]
pub(crate) fn causes_of(pair: &Pair, rules: &FleetRules) -> Vec<Cause> {
    causes_that_hold(&pair.client, &pair.target, pair.network.as_deref(), pair.tags.as_deref(), rules)
}

/// The causes that hold a pair that is measured over a network and has labels, in the order in which they are preferred.
pub fn causes_that_hold(
    client: &Arc<str>,
    target: &Arc<str>,
    network: Option<&Network>,
    tags: Option<&PairTags>,
    rules: &FleetRules,
) -> Vec<Cause> {
    causes_with(client, target, &Hosts::of(target, rules), network, tags)
}

/// What follows from the name of a target.
#[derive(Debug)]
struct Hosts {
    host: Option<Arc<str>>,
    hosting: Option<Arc<str>>,
}

impl Hosts {
    fn of(target: &str, rules: &FleetRules) -> Self {
        let host: Option<Arc<str>> = host_of(target).map(Arc::from);
        let hosting = host.as_deref().and_then(|host| rules.hosting_of(host)).map(Arc::from);
        Self { host, hosting }
    }
}

fn causes_with(
    client: &Arc<str>,
    target: &Arc<str>,
    hosts: &Hosts,
    network: Option<&Network>,
    tags: Option<&PairTags>,
) -> Vec<Cause> {
    let Hosts { host, hosting } = hosts;
    let isp = network.and_then(|network| network.isp.as_ref());
    let site = network.and_then(|network| network.site.as_ref());
    let network_type = network.and_then(|network| network.network_type.as_ref());
    let one = |dimension, value: Option<&Arc<str>>| Some(Cause { dimension, value: vec![Arc::clone(value?)] });
    let two = |dimension, value: Option<&Arc<str>>, other: Option<&Arc<str>>| {
        Some(Cause { dimension, value: vec![Arc::clone(value?), Arc::clone(other?)] })
    };
    let causes = [
        one(Dimension::Client, Some(client)),
        one(Dimension::Target, Some(target)),
        one(Dimension::Host, host.as_ref()),
        two(Dimension::IspTarget, isp, Some(target)),
        two(Dimension::SiteNetworkType, site, network_type),
        one(Dimension::Site, site),
        one(Dimension::Hosting, hosting.as_ref()),
        one(Dimension::Isp, isp),
        one(Dimension::NetworkType, network_type),
        Some(Cause { dimension: Dimension::Everything, value: Vec::new() }),
    ];
    let labels = tags.into_iter().flat_map(PairTags::iter);
    let labels = labels.map(|(side, key, value)| Cause::of_label(side, key, value));
    causes.into_iter().flatten().chain(labels).collect()
}
