//! The fold again, slow and plain: at each look it goes through all pairs and all causes, as the study does that the rules come
//! from. What is known of a pair, the arithmetic of a severity and what a score is, it shares with the fold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{
    Cause, Dimension, FleetChanges, FleetRules, Incident, IncidentChange, IncidentId, Label, LogTime, Look, Sighting,
    Standing, Weight, WindowStart,
};

use crate::incident::{Member, OpenIncident, id_of, severity_of};
use crate::localise::Bar;
use crate::pair::{Pair, degraded};
use crate::space::{CauseId, Evidence, Space, causes_of};

type Name = (Arc<str>, Arc<str>);

struct Open {
    /// Its members and its cause are here, as they are told; what the fold keeps of them by number is not used.
    incident: OpenIncident,
    members: BTreeMap<Name, Member>,
    told_by: Vec<(Name, WindowStart)>,
}

pub(crate) struct Reference {
    rules: FleetRules,
    window_ms: i64,
    pairs: BTreeMap<Name, Pair>,
    /// The causes that hold each pair, as of the look.
    causes: BTreeMap<Name, Vec<Cause>>,
    open: Vec<Open>,
    given: BTreeSet<IncidentId>,
    waiting: BTreeMap<(Label, Cause), WindowStart>,
    waiting_next: BTreeMap<(Label, Cause), WindowStart>,
    no_cause: CauseId,
}

impl Reference {
    pub(crate) fn new(rules: &FleetRules, window_ms: i64) -> Self {
        let nothing = Cause { dimension: Dimension::Everything, value: Vec::new() };
        let no_cause = Space::new(rules).cause_id(&nothing);
        let (pairs, causes, open, given) = (BTreeMap::new(), BTreeMap::new(), Vec::new(), BTreeSet::new());
        let (waiting, waiting_next) = (BTreeMap::new(), BTreeMap::new());
        Self { rules: rules.clone(), window_ms, pairs, causes, open, given, waiting, waiting_next, no_cause }
    }

    pub(crate) fn advance(&mut self, at: WindowStart, looks: Vec<Look>) -> FleetChanges {
        let mut changes = FleetChanges { at, ..FleetChanges::default() };
        let changed = self.see(at, looks, &mut changes);
        self.silence(at, &mut changes);
        let causes = |(name, pair): (&Name, &Pair)| (name.clone(), causes_of(pair, &self.rules));
        self.causes = self.pairs.iter().map(causes).collect();
        for label in Label::ALL.into_iter().filter(|label| *label != Label::Healthy) {
            self.look(label, at, &changed, &mut changes);
        }
        self.waiting = std::mem::take(&mut self.waiting_next);
        for pair in self.pairs.values() {
            let tally = &mut changes.tally;
            match pair.present {
                None => tally.unmeasured += u32::from(pair.unmeasured),
                Some(Standing::Suspected(_)) => tally.healthy += 1,
                Some(Standing::Unjudged | Standing::Working) => tally.unjudged += 1,
                Some(standing) if degraded(standing).is_some() => tally.degraded += 1,
                Some(_) => tally.healthy += 1,
            }
        }
        sort(&mut changes);
        changes
    }

    fn see(&mut self, at: WindowStart, looks: Vec<Look>, changes: &mut FleetChanges) -> BTreeSet<Name> {
        let mut sightings: Vec<_> = looks.into_iter().flat_map(|look| look.sightings).collect();
        let key = |it: &Sighting| (it.window, it.standing, it.network.clone(), it.tags.clone());
        sightings.sort_by_key(key);
        let mut of_pairs: BTreeMap<Name, Vec<Sighting>> = BTreeMap::new();
        for sighting in sightings {
            let name = (Arc::clone(&sighting.client_id), Arc::clone(&sighting.target));
            of_pairs.entry(name).or_default().push(sighting);
        }
        for (name, sightings) in &of_pairs {
            let new = || Pair::new(Arc::clone(&name.0), Arc::clone(&name.1));
            let pair = self.pairs.entry(name.clone()).or_insert_with(new);
            let (newest, was_silent) = (pair.newest().unwrap_or_default(), pair.present.is_none());
            for sighting in sightings {
                if sighting.network.is_some() && sighting.window >= newest {
                    pair.network = sighting.network.clone();
                }
                if sighting.window >= newest {
                    pair.tags = sighting.tags.clone();
                }
                pair.see(sighting, self.window_ms);
            }
            if was_silent && pair.silent_at(self.rules.missed_windows, self.window_ms) <= at {
                pair.present = None;
            } else if std::mem::take(&mut pair.unmeasured) {
                changes.measured_again.push(name.clone());
            }
        }
        of_pairs.into_keys().collect()
    }

    fn silence(&mut self, at: WindowStart, changes: &mut FleetChanges) {
        let day_ms = i64::from(self.rules.forget_hours) * 3_600_000;
        let open = &self.open;
        let is_member = |name: &Name| open.iter().any(|open| open.members.contains_key(name));
        self.pairs.retain(|name, pair| {
            if pair.silent_at(self.rules.missed_windows, self.window_ms) > at {
                return true;
            }
            let is_known = pair.newest().unwrap().ms() + day_ms > at.ms() || is_member(name);
            if pair.unmeasured && !is_known {
                changes.measured_again.push(name.clone());
            }
            if pair.present.take().is_some() && is_known {
                pair.unmeasured = pair.rhythm.is_known();
                if pair.unmeasured {
                    changes.unmeasured.push(pair.as_unmeasured(self.window_ms));
                }
            }
            is_known
        });
    }

    fn of_cause<'a>(&'a self, cause: &'a Cause) -> impl Iterator<Item = (&'a Name, &'a Pair)> {
        self.pairs.iter().filter(|(name, _)| self.causes[*name].contains(cause))
    }

    fn names(&self, cause: &Cause) -> BTreeSet<Name> {
        self.of_cause(cause).map(|(name, _)| name.clone()).collect()
    }

    fn evidence<'a>(&self, label: Label, pairs: impl Iterator<Item = &'a Pair>) -> Evidence {
        let mut evidence = Evidence::default();
        pairs.for_each(|pair| evidence.count(pair.present, label));
        evidence
    }

    fn evidence_of(&self, label: Label, cause: &Cause) -> Evidence {
        self.evidence(label, self.of_cause(cause).map(|(_, pair)| pair))
    }

    /// The pairs of a cause that another one does not hold.
    fn rest_of(&self, label: Label, cause: &Cause, without: &Cause) -> Evidence {
        let without = self.names(without);
        self.evidence(label, self.of_cause(cause).filter(|(name, _)| !without.contains(*name)).map(|(_, pair)| pair))
    }

    fn stands_out(&self, label: Label, cause: &Cause, outer: &Cause) -> bool {
        let rest = self.rest_of(label, outer, cause);
        let share = f64::from(rest.for_it()) / f64::from((rest.for_it() + rest.healthy).max(1));
        Bar::beside(&self.rules, share).score(self.evidence_of(label, cause)).is_some()
    }

    fn degraded_of(&self, label: Label, cause: &Cause) -> Vec<Name> {
        let has_label = |pair: &Pair| pair.degraded().is_some_and(|(found, _)| found == label);
        self.of_cause(cause).filter(|(_, pair)| has_label(pair)).map(|(name, _)| name.clone()).collect()
    }

    fn severities(&self, label: Label, cause: &Cause) -> [u32; 3] {
        let mut severities = [0; 3];
        for (_, pair) in self.of_cause(cause) {
            if let Some(Standing::Degraded(found, severity)) = pair.present
                && found == label
            {
                severities[severity as usize] += 1;
            }
        }
        severities
    }

    fn is_enough(&self, weight: Weight) -> bool {
        let all = f64::from(weight.degraded) + f64::from(weight.healthy);
        weight.degraded >= self.rules.keep_pairs && f64::from(weight.degraded) >= self.rules.keep_share * all
    }

    fn is_inside(&self, inner: &Cause, outer: &Cause) -> bool {
        let (inner, outer) = (self.names(inner), self.names(outer));
        !inner.is_empty() && inner.intersection(&outer).count() as f64 >= self.rules.inside_share * inner.len() as f64
    }

    fn has_evidence_inside(&self, label: Label, inner: &Cause, outer: &Cause) -> bool {
        let outer = self.names(outer);
        let evidence = self.degraded_of(label, inner);
        let inside = evidence.iter().filter(|name| outer.contains(*name)).count();
        !evidence.is_empty() && inside as f64 >= self.rules.inside_share * evidence.len() as f64
    }

    fn look(&mut self, label: Label, at: WindowStart, changed: &BTreeSet<Name>, changes: &mut FleetChanges) {
        let is_mine = |open: &Open| open.incident.told.label == label;
        let (mut mine, others): (Vec<_>, Vec<_>) = self.open.drain(..).partition(is_mine);
        self.open = others;
        let before: BTreeMap<_, _> =
            mine.iter().map(|open| (open.incident.told.id.clone(), open.incident.told.clone())).collect();
        let causes: Vec<_> = mine.iter().map(|open| open.incident.told.cause.clone()).collect();
        let mut again = Vec::new();
        for open in &mut mine {
            let cause = open.incident.told.cause.clone();
            let weight = self.evidence_of(label, &cause).weight();
            let size = |cause: &Cause| self.names(cause).len();
            let parts = causes.iter().filter(|part| size(part) < size(&cause) && self.is_inside(part, &cause));
            let mut rests = parts.map(|part| self.rest_of(label, &cause, part).weight());
            let is_enough = self.is_enough(weight) && rests.all(|rest| self.is_enough(rest));
            open.incident.told.now = weight;
            if open.incident.hold(is_enough, weight, at) {
                again.push(open.incident.told.id.clone());
            }
        }
        for outer in again {
            self.take_back(&outer, at, &mut mine, changes);
        }
        for open in &mut mine {
            for name in self.degraded_of(label, &open.incident.told.cause.clone()) {
                if changed.contains(&name) {
                    self.add_member(open, &name, at, changes);
                }
            }
        }
        for open in &mut mine {
            let hurting = self.degraded_of(label, &open.incident.told.cause.clone());
            for (name, member) in &mut open.members {
                if member.hurts && !hurting.contains(name) {
                    member.hurts = false;
                    changes.members.push(open.incident.as_member(*member, &name.0, &name.1));
                }
            }
        }
        self.settle(label, at, &mut mine);
        for cause in self.localise(label, &mine) {
            self.found(label, cause, at, &mut mine, changes);
        }
        let narrower: Vec<_> = mine.iter().filter_map(|open| self.narrower(label, &open.incident, at)).collect();
        for cause in narrower {
            if !mine.iter().any(|open| open.incident.told.cause == cause) {
                self.open_if_again(label, &cause, at, &mut mine, changes);
            }
        }
        for open in &mut mine {
            let severities = self.severities(label, &open.incident.told.cause.clone());
            if open.incident.held_at == at && open.incident.follow_severity(severities, &self.rules) {
                changes.revisions.push(open.incident.revise(IncidentChange::Severity, at));
            }
        }
        self.end(label, at, &mut mine, changes);
        for open in &mut mine {
            if before.get(&open.incident.told.id) != Some(&open.incident.told) {
                open.incident.told.as_of = at;
                changes.incidents.push(open.incident.told.clone());
            }
        }
        mine.sort_by_key(|open| (open.incident.told.opened, open.incident.told.id.clone()));
        self.open.extend(mine);
    }

    fn take_back(&mut self, outer: &IncidentId, at: WindowStart, mine: &mut Vec<Open>, changes: &mut FleetChanges) {
        let Some(cause) =
            mine.iter().find(|open| open.incident.id() == outer).map(|open| open.incident.told.cause.clone())
        else {
            return;
        };
        let ms = i64::from(self.rules.together_windows) * self.window_ms;
        let is_part = |open: &&Open| {
            let told = &open.incident.told;
            at.ms() - told.detected.ms() <= ms && told.id != *outer && self.is_inside(&told.cause, &cause)
        };
        let parts: Vec<_> = mine.iter().filter(is_part).map(|open| open.incident.told.id.clone()).collect();
        self.absorb(outer, &parts, at, mine, changes);
    }

    fn narrower(&self, label: Label, incident: &OpenIncident, at: WindowStart) -> Option<Cause> {
        let outer = &incident.told.cause;
        let are_most = |cause: &Cause| {
            let Weight { degraded, healthy } = self.evidence_of(label, cause).weight();
            f64::from(degraded) >= self.rules.inside_share * f64::from(degraded + healthy)
        };
        if incident.held_at != at || are_most(outer) {
            return None;
        }
        let bar = Bar::new(&self.rules);
        let size = |cause: &Cause| self.names(cause).len();
        let parts: BTreeSet<&Cause> = self.causes.values().flatten().collect();
        let explains = |part: &&&Cause| {
            size(part) < size(outer)
                && are_most(part)
                && self.is_inside(part, outer)
                && !self.degraded_of(label, part).is_empty()
                && !self.is_enough(self.rest_of(label, outer, part).weight())
                && self.stands_out(label, part, outer)
        };
        let scored =
            parts.iter().filter(explains).filter_map(|part| Some((bar.score(self.evidence_of(label, part))?, *part)));
        scored.min_by_key(|(score, part)| (-score, size(part), (*part).clone())).map(|(_, part)| part.clone())
    }

    fn settle(&self, label: Label, at: WindowStart, mine: &mut [Open]) {
        let ms = |windows: u32| i64::from(windows) * self.window_ms;
        let covered: BTreeSet<Name> = mine.iter().flat_map(|open| self.names(&open.incident.told.cause)).collect();
        let strays: Vec<WindowStart> = self
            .pairs
            .iter()
            .filter(|(name, pair)| pair.degraded().is_some_and(|(found, _)| found == label) && !covered.contains(*name))
            .map(|(_, pair)| pair.run.unwrap().since)
            .collect();
        let held: Vec<_> = mine.iter().map(|open| (open.incident.told.opened, open.incident.held_at == at)).collect();
        for (number, open) in mine.iter_mut().enumerate() {
            let opened_ms = open.incident.told.opened.ms();
            let near = |other: &WindowStart, windows| (other.ms() - opened_ms).abs() <= ms(windows);
            let with_it = strays.iter().filter(|since| near(since, self.rules.together_windows)).count();
            let mut others = held.iter().enumerate().filter(|(other, _)| *other != number);
            let has_kin = others.any(|(_, (opened, is_held))| *is_held && near(opened, self.rules.kin_windows));
            let is_old = at.ms() - self.window_ms - opened_ms > ms(self.rules.young_windows);
            let goes_on = open.incident.held_at == at;
            open.incident.stands = goes_on && (is_old || (with_it < self.rules.least_pairs as usize && !has_kin));
        }
    }

    fn localise(&self, label: Label, mine: &[Open]) -> Vec<Cause> {
        let bar = Bar::new(&self.rules);
        let standing = mine.iter().filter(|open| open.incident.stands);
        let mut gone: BTreeSet<Name> = standing.flat_map(|open| self.names(&open.incident.told.cause)).collect();
        let causes: BTreeSet<Cause> = self.causes.values().flatten().cloned().collect();
        let mut found = Vec::new();
        loop {
            let score = |cause: &Cause| {
                let left = self.of_cause(cause).filter(|(name, _)| !gone.contains(*name)).map(|(_, pair)| pair);
                bar.score(self.evidence(label, left))
            };
            let scored = causes.iter().filter_map(|cause| Some((score(cause)?, cause)));
            let best = scored.min_by_key(|(score, cause)| (-score, self.names(cause).len(), (*cause).clone()));
            let Some((_, best)) = best else { return found };
            gone.extend(self.names(best));
            found.push(best.clone());
        }
    }

    fn found(&mut self, label: Label, cause: Cause, at: WindowStart, mine: &mut Vec<Open>, changes: &mut FleetChanges) {
        if mine.iter().any(|open| open.incident.told.cause == cause) {
            return;
        }
        let size = |cause: &Cause| self.names(cause).len();
        let explains = |inner: &Cause, outer: &Cause| {
            self.is_inside(inner, outer) || self.has_evidence_inside(label, inner, outer)
        };
        let ms = |windows: u32| i64::from(windows) * self.window_ms;
        let goes_on = |open: &Open| at.ms() - open.incident.held_at.ms() <= ms(self.rules.together_windows);
        let is_part_of = |open: &Open| {
            let outer = &open.incident.told.cause;
            size(&cause) <= size(outer) && explains(&cause, outer)
        };
        let is_left_over = |open: &Open, grace: u32| {
            at.ms() - open.incident.held_at.ms() > ms(grace)
                && self.stands_out(label, &cause, &open.incident.told.cause)
        };
        let shadowing = self.open.iter().filter(|open| self.is_shadow(label, &cause, open));
        let grace = self.rules.together_windows;
        let outers: Vec<_> = mine.iter().filter(|open| is_part_of(open)).map(|open| is_left_over(open, 0)).collect();
        let outers: Vec<_> = outers.into_iter().chain(shadowing.map(|open| is_left_over(open, grace))).collect();
        if !outers.is_empty() {
            if outers.into_iter().all(|is_left_over| is_left_over) {
                self.open_if_again(label, &cause, at, mine, changes);
            }
            return;
        }
        let is_part = |open: &Open| {
            let inner = &open.incident.told.cause;
            let is_young = at.ms() - self.window_ms - open.incident.told.opened.ms() <= ms(self.rules.young_windows);
            let is_held = open.incident.held_at == at && size(inner) < size(&cause);
            let is_inside = self.is_inside(inner, &cause) || is_held && explains(inner, &cause);
            is_young && !open.incident.stands && goes_on(open) && is_inside
        };
        let mut parts: Vec<_> = (0..mine.len()).filter(|index| is_part(&mine[*index])).collect();
        if parts.is_empty() {
            if !self.take_over_shadows(label, &cause, at, mine, changes) {
                self.open_if_clear(label, &cause, at, mine, changes);
            }
            return;
        }
        parts.sort_by_key(|index| {
            let told = &mine[*index].incident.told;
            (told.opened, usize::MAX - size(&told.cause), told.id.clone())
        });
        let first = mine[parts[0]].incident.told.id.clone();
        let others: Vec<_> = parts[1..].iter().map(|index| mine[*index].incident.told.id.clone()).collect();
        let keep = mine.iter_mut().find(|open| open.incident.told.id == first).unwrap();
        keep.incident.told.cause = cause;
        keep.incident.told.named = LogTime::from_ms(at.ms());
        self.take_evidence(label, keep, at, changes);
        changes.revisions.push(keep.incident.revise(IncidentChange::Cause, at));
        self.absorb(&first, &others, at, mine, changes);
    }

    fn absorb(
        &mut self,
        outer: &IncidentId,
        parts: &[IncidentId],
        at: WindowStart,
        mine: &mut Vec<Open>,
        changes: &mut FleetChanges,
    ) {
        let (mut absorbed, rest) = mine.drain(..).partition(|open: &Open| parts.contains(&open.incident.told.id));
        *mine = rest;
        let keep = mine.iter_mut().find(|open| open.incident.told.id == *outer).unwrap();
        for open in &mut absorbed {
            for (name, member) in std::mem::take(&mut open.members) {
                self.take_member(keep, &name, member, changes);
            }
            keep.incident.told.last = keep.incident.told.last.max(open.incident.told.last);
            keep.incident.told.peak_severity = keep.incident.told.peak_severity.max(open.incident.told.peak_severity);
        }
        if !absorbed.is_empty() {
            changes.revisions.push(keep.incident.revise(IncidentChange::Absorbed, at));
        }
        for open in absorbed {
            let because = format!("It is a part of the incident {outer}.");
            self.finish(open, Some(because), at, changes);
        }
    }

    fn is_shadow(&self, label: Label, cause: &Cause, open: &Open) -> bool {
        let outer = &open.incident.told;
        label == Label::ThroughputBound
            && outer.label == Label::HandshakeBound
            && (self.is_inside(cause, &outer.cause) || self.has_evidence_inside(label, cause, &outer.cause))
    }

    fn take_over_shadows(
        &mut self,
        label: Label,
        cause: &Cause,
        at: WindowStart,
        mine: &mut Vec<Open>,
        changes: &mut FleetChanges,
    ) -> bool {
        let kin_ms = i64::from(self.rules.kin_windows) * self.window_ms;
        let is_shadow = |open: &Open| {
            let told = &open.incident.told;
            label == Label::HandshakeBound
                && told.label == Label::ThroughputBound
                && at.ms() - told.detected.ms() <= kin_ms
                && (self.is_inside(&told.cause, cause)
                    || self.has_evidence_inside(Label::ThroughputBound, &told.cause, cause))
        };
        let ids: Vec<_> =
            self.open.iter().filter(|open| is_shadow(open)).map(|open| open.incident.id().clone()).collect();
        let all = std::mem::take(&mut self.open);
        let (mut shadows, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|open| ids.contains(open.incident.id()));
        self.open = rest;
        if shadows.is_empty() {
            return false;
        }
        shadows.sort_by_key(|open| (open.incident.told.opened, open.incident.told.id.clone()));
        let mut first = shadows.remove(0);
        let told = &mut first.incident.told;
        (told.label, told.cause, told.named) = (label, cause.clone(), LogTime::from_ms(at.ms()));
        self.take_evidence(label, &mut first, at, changes);
        changes.revisions.push(first.incident.revise(IncidentChange::Cause, at));
        let because = format!("It is a part of the incident {}.", first.incident.id());
        mine.push(first);
        shadows.into_iter().for_each(|shadow| self.finish(shadow, Some(because.clone()), at, changes));
        true
    }

    fn open_if_clear(
        &mut self,
        label: Label,
        cause: &Cause,
        at: WindowStart,
        mine: &mut Vec<Open>,
        changes: &mut FleetChanges,
    ) {
        let degraded = self.degraded_of(label, cause);
        let newest = degraded.iter().map(|name| self.pairs[name].newest().unwrap()).max().unwrap();
        if cause.dimension != Dimension::Client {
            return self.open(label, cause, newest, at, mine, changes);
        }
        self.open_if_again(label, cause, at, mine, changes);
    }

    fn open_if_again(
        &mut self,
        label: Label,
        cause: &Cause,
        at: WindowStart,
        mine: &mut Vec<Open>,
        changes: &mut FleetChanges,
    ) {
        let degraded = self.degraded_of(label, cause);
        let newest = degraded.iter().map(|name| self.pairs[name].newest().unwrap()).max().unwrap();
        let key = (label, cause.clone());
        match self.waiting.get(&key) {
            Some(first) if *first < newest => self.open(label, cause, *first, at, mine, changes),
            _ => {
                self.waiting_next.insert(key, newest);
            }
        }
    }

    fn open(
        &mut self,
        label: Label,
        cause: &Cause,
        opened: WindowStart,
        at: WindowStart,
        mine: &mut Vec<Open>,
        changes: &mut FleetChanges,
    ) {
        if !self.given.insert(id_of(label, cause, opened)) {
            return;
        }
        let incident = OpenIncident::new(label, cause, self.no_cause, opened, at);
        let mut open = Open { incident, members: BTreeMap::new(), told_by: Vec::new() };
        self.take_evidence(label, &mut open, at, changes);
        let severities = self.severities(label, cause);
        if let Some(severity) = severity_of(severities, self.rules.severity_share) {
            open.incident.set_severity(severity);
        }
        changes.revisions.push(open.incident.revise(IncidentChange::Opened, at));
        mine.push(open);
    }

    fn take_evidence(&self, label: Label, open: &mut Open, at: WindowStart, changes: &mut FleetChanges) {
        let cause = open.incident.told.cause.clone();
        let weight = self.evidence_of(label, &cause).weight();
        (open.incident.told.now, open.incident.told.at_first) = (weight, weight);
        open.incident.hold(true, weight, at);
        let names = self.degraded_of(label, &cause);
        open.told_by = names.iter().map(|name| (name.clone(), self.pairs[name].newest().unwrap())).collect();
        names.iter().for_each(|name| self.add_member(open, name, at, changes));
    }

    fn add_member(&self, open: &mut Open, name: &Name, at: WindowStart, changes: &mut FleetChanges) {
        let pair = &self.pairs[name];
        let newest = pair.newest().unwrap();
        if open.incident.held_at == at {
            open.incident.told.last = open.incident.told.last.max(newest);
        }
        let (since, severity) = (pair.run.unwrap().since, pair.degraded().unwrap().1);
        let member = Member { since, until: newest, severity, hurts: true };
        self.take_member(open, name, member, changes);
    }

    fn take_member(&self, open: &mut Open, name: &Name, member: Member, changes: &mut FleetChanges) {
        let known = open.members.get(name).copied();
        let sum = known.map_or(member, |known| known.and(member));
        open.members.insert(name.clone(), sum);
        if known.map(Member::told) != Some(sum.told()) {
            changes.members.push(open.incident.as_member(sum, &name.0, &name.1));
        }
        let count = |names: BTreeSet<&Arc<str>>| names.len() as u32;
        open.incident.told.pairs = open.members.len() as u32;
        open.incident.told.clients = count(open.members.keys().map(|(client, _)| client).collect());
        open.incident.told.targets = count(open.members.keys().map(|(_, target)| target).collect());
    }

    fn end(&mut self, label: Label, at: WindowStart, mine: &mut Vec<Open>, changes: &mut FleetChanges) {
        for mut open in std::mem::take(mine) {
            let told_by = open.told_by.len() as u32;
            let has_had = |(name, window): &&(Name, WindowStart)| self.pairs[name].has_had(label, *window);
            let left = open.told_by.iter().filter(has_had).count() as u32;
            let weight = Weight { degraded: left, healthy: open.incident.told.at_first.healthy + told_by - left };
            let is_lost = left < told_by && (left < self.rules.least_pairs || !self.is_enough(weight));
            if open.incident.held_at != at && is_lost {
                let because = format!(
                    "Corrected measurements leave {left} of the {told_by} pairs that were {label} when it was told."
                );
                self.finish(open, Some(because), at, changes);
            } else if open.incident.is_over(&self.rules) {
                self.finish(open, None, at, changes);
            } else {
                if at.ms() - open.incident.told.named.ms() >= 3 * self.window_ms {
                    open.told_by.clear();
                }
                mine.push(open);
            }
        }
    }

    fn finish(&mut self, mut open: Open, because: Option<String>, at: WindowStart, changes: &mut FleetChanges) {
        let change = if because.is_some() { IncidentChange::Withdrawn } else { IncidentChange::Closed };
        let id = open.incident.told.id.clone();
        if open.incident.told.detected.ms() == at.ms() {
            self.given.remove(&id);
            changes.members.retain(|member| member.incident != id);
            changes.revisions.retain(|revision| revision.incident != id);
            return;
        }
        open.incident.end(because, self.window_ms);
        open.incident.told.as_of = at;
        changes.revisions.push(open.incident.revise(change, at));
        changes.incidents.push(open.incident.told);
    }
}

fn sort(changes: &mut FleetChanges) {
    changes.incidents.sort_by_key(|incident: &Incident| incident.id.clone());
    changes.revisions.sort_by_key(|revision| (revision.incident.clone(), revision.revision));
    let members = std::mem::take(&mut changes.members).into_iter();
    let newest =
        members.map(|member| ((member.incident.clone(), member.client_id.clone(), member.target.clone()), member));
    changes.members = newest.collect::<BTreeMap<_, _>>().into_values().collect();
    changes.unmeasured.sort_by_key(|unmeasured| (unmeasured.client_id.clone(), unmeasured.target.clone()));
    changes.measured_again.sort();
}
