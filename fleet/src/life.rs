//! How incidents of one label begin, go on, are amended and end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{
    Cause, Dimension, FleetChanges, FleetRules, IncidentChange, IncidentId, Label, LogTime, Weight, WindowStart,
};

use crate::incident::{Member, OpenIncident, id_of, severity_of};
use crate::localise::{Bar, localise};
use crate::space::{CauseId, LABELS, Mark, PairId, Space};

/// Looks after it was told at which an incident can lose its evidence: the windows that it was told by are then final, with
/// the usual lateness of two windows.
const REVISED_FOR_LOOKS: i64 = 3;
/// The label that may be what is left of another one, and that other one.
const SHADOW: Label = Label::ThroughputBound;
const SHADOWED_BY: Label = Label::HandshakeBound;

/// The incidents of one label that are open, by when they opened.
pub(crate) struct Life<'a> {
    pub(crate) label: Label,
    pub(crate) at: WindowStart,
    pub(crate) window_ms: i64,
    pub(crate) rules: &'a FleetRules,
    pub(crate) bar: &'a Bar,
    pub(crate) space: &'a mut Space,
    pub(crate) open: Vec<OpenIncident>,
    /// Those of the other labels.
    pub(crate) others: &'a mut [Vec<OpenIncident>; LABELS],
    /// Causes that were found at the look before and are told if they are found again, with the first window of the evidence.
    pub(crate) waiting: &'a BTreeMap<(Label, Cause), WindowStart>,
    pub(crate) waiting_next: &'a mut BTreeMap<(Label, Cause), WindowStart>,
    /// The ids that have been given, and when.
    pub(crate) given: &'a mut BTreeMap<IncidentId, WindowStart>,
    pub(crate) changes: &'a mut FleetChanges,
}

impl Life<'_> {
    /// One look. `changed` are the pairs that it brought.
    pub(crate) fn look(mut self, changed: &[PairId]) -> Vec<OpenIncident> {
        let before: Vec<_> = self.open.iter().map(|incident| incident.told.clone()).collect();
        for incident in self.hold() {
            self.take_back(&incident);
        }
        self.follow_members(changed);
        self.part_from_members();
        self.settle();
        for cause in localise(self.space, self.label, self.bar) {
            self.found(cause);
        }
        let narrower: Vec<_> = self.open.iter().filter_map(|incident| self.narrower(incident)).collect();
        for cause in narrower {
            if !self.space.is_open(cause, self.label) {
                self.open_if_again(cause);
            }
        }
        self.follow_severities();
        self.end();
        self.tell(&before);
        self.open
    }

    /// An open incident goes on by less than it takes to open one. Answers those whose evidence has come back.
    fn hold(&mut self) -> Vec<IncidentId> {
        let enough: Vec<_> = self.open.iter().map(|incident| self.is_enough_beside_parts(incident)).collect();
        let mut back = Vec::new();
        for (incident, is_enough) in self.open.iter_mut().zip(enough) {
            let weight = self.space.weight(incident.cause, self.label);
            incident.told.now = weight;
            if incident.hold(is_enough, weight, self.at) {
                back.push(incident.id().clone());
            }
        }
        back
    }

    /// Whether the evidence is enough, without that of an open incident of a part of its pairs.
    fn is_enough_beside_parts(&self, incident: &OpenIncident) -> bool {
        let (cause, share) = (incident.cause, self.rules.inside_share);
        let parts = self.open.iter().filter(|part| self.is_narrower(part.cause, cause));
        let mut parts = parts.filter(|part| self.space.is_inside(part.cause, cause, share));
        let is_beside = |part: &OpenIncident| {
            let (_, rest) = self.space.evidence_beside(part.cause, cause, self.label);
            is_enough(rest.weight(), self.rules)
        };
        is_enough(self.space.weight(cause, self.label), self.rules) && parts.all(is_beside)
    }

    fn is_narrower(&self, inner: CauseId, outer: CauseId) -> bool {
        self.space.pairs_of(inner).len() < self.space.pairs_of(outer).len()
    }

    /// The best narrower cause that explains all that an incident has. Most of its own pairs have the label, most of the
    /// incident's do not, and without it the rest would not keep the incident open.
    fn narrower(&self, incident: &OpenIncident) -> Option<CauseId> {
        let (outer, share) = (incident.cause, self.rules.inside_share);
        let are_most = |Weight { degraded, healthy }| f64::from(degraded) >= share * f64::from(degraded + healthy);
        if incident.held_at != self.at || are_most(self.space.weight(outer, self.label)) {
            return None;
        }
        let explains = |part: &CauseId| {
            self.is_narrower(*part, outer)
                && are_most(self.space.weight(*part, self.label))
                && self.space.is_inside(*part, outer, share)
                && !is_enough(self.space.evidence_beside(*part, outer, self.label).1.weight(), self.rules)
                && self.stands_out(*part, outer)
        };
        let causes = |id: PairId| self.space.pair(id).causes.iter().map(|place| place.cause);
        let parts: BTreeSet<_> = self.degraded_of(outer).into_iter().flat_map(causes).collect();
        let rank = |part: CauseId| self.bar.rank(self.space, part, self.space.evidence(part, self.label));
        let ranked = parts.into_iter().filter(explains).filter_map(|part| Some((rank(part)?, part)));
        ranked.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, part)| part)
    }

    /// A fault that comes and goes does not do so at the same moment for all of its pairs: what seemed to be left over of it
    /// since then is a part of it after all.
    fn take_back(&mut self, outer: &IncidentId) {
        let together_ms = i64::from(self.rules.together_windows) * self.window_ms;
        let Some(outer) = self.open.iter().position(|incident| incident.id() == outer) else { return };
        let (cause, share) = (self.open[outer].cause, self.rules.inside_share);
        let is_part = |index: &usize| {
            let inner = &self.open[*index];
            self.at.ms() - inner.told.detected.ms() <= together_ms
                && *index != outer
                && self.space.is_inside(inner.cause, cause, share)
        };
        let parts = (0..self.open.len()).filter(is_part).collect();
        self.absorb(outer, parts);
    }

    fn follow_members(&mut self, changed: &[PairId]) {
        if self.open.is_empty() {
            return;
        }
        let by_cause: BTreeMap<_, _> =
            self.open.iter().zip(0..).map(|(incident, index)| (incident.cause, index)).collect();
        for id in changed {
            let pair = self.space.pair(*id);
            if pair.degraded().is_none_or(|(label, _)| label != self.label) {
                continue;
            }
            let of_pair: Vec<usize> =
                pair.causes.iter().filter_map(|place| by_cause.get(&place.cause).copied()).collect();
            for index in of_pair {
                self.add_member(index, *id);
            }
        }
    }

    /// A member that no longer has the label, or is no longer of the cause, has an end that can be told.
    fn part_from_members(&mut self) {
        for incident in self.open.iter_mut() {
            let mut members = std::mem::take(&mut incident.members);
            for (id, member) in members.iter_mut().filter(|(_, member)| member.hurts) {
                let pair = self.space.pair(*id);
                let has_label = pair.degraded().is_some_and(|(label, _)| label == self.label);
                if !has_label || pair.causes.iter().all(|place| place.cause != incident.cause) {
                    member.hurts = false;
                    self.changes.members.push(incident.as_member(*member, &pair.client, &pair.target));
                }
            }
            incident.members = members;
        }
    }

    /// Takes a degraded pair into an incident.
    fn add_member(&mut self, index: usize, id: PairId) {
        let incident = &mut self.open[index];
        let pair = self.space.pair(id);
        let (Some((_, severity)), Some(run), Some(newest)) = (pair.degraded(), pair.run, pair.newest()) else { return };
        let member = Member { since: run.since, until: newest, severity, hurts: true };
        if incident.held_at == self.at {
            incident.told.last = incident.told.last.max(newest);
        }
        self.take_member(index, id, member);
    }

    fn take_member(&mut self, index: usize, id: PairId, member: Member) {
        let (incident, pair) = (&mut self.open[index], self.space.pair(id));
        let known = incident.members.get(&id).copied();
        let is_new = incident.add_member(id, member, pair.causes[0].cause, pair.causes[1].cause);
        let member = incident.members[&id];
        if known.map(Member::told) != Some(member.told()) {
            self.changes.members.push(incident.as_member(member, &pair.client, &pair.target));
        }
        if is_new {
            self.space.note(id, |pair| pair.memberships += 1);
        }
    }

    /// An incident stands once no pair outside of it began with it, and no other incident did that goes on.
    fn settle(&mut self) {
        let rules = self.rules;
        let windows = |count: u32| i64::from(count) * self.window_ms;
        let (young_ms, together_ms, kin_ms) =
            (windows(rules.young_windows), windows(rules.together_windows), windows(rules.kin_windows));
        let mut held: BTreeMap<WindowStart, u32> = BTreeMap::new();
        let held_now = self.open.iter().filter(|incident| incident.held_at == self.at);
        held_now.for_each(|incident| *held.entry(incident.told.opened).or_default() += 1);
        let around =
            |start: WindowStart, ms| WindowStart::from_ms(start.ms() - ms)..=WindowStart::from_ms(start.ms() + ms);
        let mut stands = Vec::with_capacity(self.open.len());
        for incident in self.open.iter() {
            let opened = incident.told.opened;
            // While its evidence is missing, what is left of it may be something narrower.
            let goes_on = incident.held_at == self.at;
            let is_old = self.at.ms() - self.window_ms - opened.ms() > young_ms;
            let near = around(opened, together_ms);
            let strays = self.space.strays(self.label, *near.start(), *near.end());
            let others: u32 = held.range(around(opened, kin_ms)).map(|(_, count)| count).sum();
            let itself = u32::from(incident.held_at == self.at);
            stands.push(goes_on && (is_old || (strays < rules.least_pairs && others <= itself)));
        }
        for (incident, stands) in self.open.iter_mut().zip(stands) {
            incident.stands = stands;
            self.space.mark(incident.cause, self.label, Mark::Standing, stands);
        }
    }

    /// A cause explains pairs that no standing incident does.
    fn found(&mut self, cause: CauseId) {
        if self.space.is_open(cause, self.label) {
            return;
        }
        let share = self.rules.inside_share;
        let pairs = |id: CauseId| self.space.pairs_of(id).len();
        // A part of what is open: the pairs that feel its beginning and its end first and last.
        let explains = |inner, outer| {
            self.space.is_inside(inner, outer, share) || self.space.has_evidence_inside(inner, outer, self.label, share)
        };
        let is_part_of = |outer: &&OpenIncident| pairs(cause) <= pairs(outer.cause) && explains(cause, outer.cause);
        let outers: Vec<_> = self.open.iter().filter(is_part_of).chain(self.shadowing(cause)).collect();
        if !outers.is_empty() {
            if outers.iter().all(|outer| self.is_left_over(cause, outer)) {
                self.open_if_again(cause);
            }
            return;
        }
        let together_ms = i64::from(self.rules.together_windows) * self.window_ms;
        let goes_on = |incident: &OpenIncident| self.at.ms() - incident.held_at.ms() <= together_ms;
        let young_ms = i64::from(self.rules.young_windows) * self.window_ms;
        let is_young_part = |inner: &OpenIncident| {
            let is_young = self.at.ms() - self.window_ms - inner.told.opened.ms() <= young_ms && !inner.stands;
            let is_held = inner.held_at == self.at && pairs(inner.cause) < pairs(cause);
            is_young
                && goes_on(inner)
                && (self.space.is_inside(inner.cause, cause, share) || is_held && explains(inner.cause, cause))
        };
        let parts: Vec<_> = (0..self.open.len()).filter(|index| is_young_part(&self.open[*index])).collect();
        // The one that began first goes on under the cause that was found.
        let order = |index: &usize| {
            let incident = &self.open[*index];
            (incident.told.opened, usize::MAX - pairs(incident.cause), incident.id().clone())
        };
        match parts.iter().copied().min_by_key(order) {
            Some(first) => self.amend(first, parts, cause),
            None if self.take_over_shadows(cause) => {}
            None => self.open_if_clear(cause),
        }
    }

    /// An overloaded path delays connecting and slows transfers. A pair has one label, and of the two that of connecting goes
    /// first, so the pairs that are just below its bounds are what is left for the other label.
    fn shadowing(&self, cause: CauseId) -> impl Iterator<Item = &OpenIncident> {
        let share = self.rules.inside_share;
        let explains = move |outer: &&OpenIncident| {
            self.space.is_inside(cause, outer.cause, share)
                || self.space.has_evidence_inside(cause, outer.cause, self.label, share)
        };
        let others: &[OpenIncident] = if self.label == SHADOW { &self.others[SHADOWED_BY as usize] } else { &[] };
        others.iter().filter(explains)
    }

    /// Whether something narrower is left of an incident whose evidence is missing. Its pairs do not recover all at once, so the
    /// rest of them says how likely a pair still has the label by chance.
    fn is_left_over(&self, cause: CauseId, outer: &OpenIncident) -> bool {
        let is_same = outer.told.label == self.label;
        let grace_ms = if is_same { 0 } else { i64::from(self.rules.together_windows) * self.window_ms };
        self.at.ms() - outer.held_at.ms() > grace_ms && self.stands_out(cause, outer.cause)
    }

    /// Whether a cause could be named if its pairs had the label by chance as often as the rest of another cause's pairs.
    fn stands_out(&self, cause: CauseId, outer: CauseId) -> bool {
        let (evidence, rest) = self.space.evidence_beside(cause, outer, self.label);
        let observed = f64::from((rest.for_it() + rest.healthy).max(1));
        let bar = Bar::beside(self.rules, f64::from(rest.for_it()) / observed);
        bar.score(evidence).is_some()
    }

    /// Where the slow transfers were told first, it is the same incident, with another label. Answers whether it was.
    fn take_over_shadows(&mut self, cause: CauseId) -> bool {
        if self.label != SHADOWED_BY {
            return false;
        }
        let (share, kin_ms) = (self.rules.inside_share, i64::from(self.rules.kin_windows) * self.window_ms);
        let is_shadow = |incident: &OpenIncident| {
            self.at.ms() - incident.told.detected.ms() <= kin_ms
                && (self.space.is_inside(incident.cause, cause, share)
                    || self.space.has_evidence_inside(incident.cause, cause, SHADOW, share))
        };
        let of_shadow = std::mem::take(&mut self.others[SHADOW as usize]);
        let (mut shadows, rest): (Vec<_>, Vec<_>) = of_shadow.into_iter().partition(is_shadow);
        self.others[SHADOW as usize] = rest;
        if shadows.is_empty() {
            return false;
        }
        // They are in the order in which they opened.
        let mut first = shadows.remove(0);
        self.space.mark(cause, self.label, Mark::Open, true);
        self.unmark(first.cause, SHADOW);
        (first.cause, first.told.label, first.told.cause) = (cause, self.label, self.space.cause(cause).clone());
        first.told.named = LogTime::from_ms(self.at.ms());
        self.open.push(first);
        let index = self.open.len() - 1;
        self.take_evidence(index);
        let revision = self.open[index].revise(IncidentChange::Cause, self.at);
        self.changes.revisions.push(revision);
        let because = format!("It is a part of the incident {}.", self.open[index].id());
        shadows.into_iter().for_each(|shadow| self.finish(shadow, Some(because.clone())));
        true
    }

    /// What one client sees may be a moment of its own: two looks must show it.
    fn open_if_clear(&mut self, cause: CauseId) {
        if self.space.cause(cause).dimension == Dimension::Client {
            return self.open_if_again(cause);
        }
        if let Some(opened) = self.newest_evidence(cause) {
            self.open(cause, opened);
        }
    }

    /// Told if the look before found it too, by older windows.
    fn open_if_again(&mut self, cause: CauseId) {
        let Some(opened) = self.newest_evidence(cause) else { return };
        let key = (self.label, self.space.cause(cause).clone());
        match self.waiting.get(&key) {
            Some(first) if *first < opened => self.open(cause, *first),
            _ => {
                self.waiting_next.insert(key, opened);
            }
        }
    }

    fn open(&mut self, cause: CauseId, opened: WindowStart) {
        let id = id_of(self.label, self.space.cause(cause), opened);
        // It was told before by the same windows, and has ended.
        if self.given.contains_key(&id) {
            return;
        }
        self.given.insert(id, self.at);
        self.open.push(OpenIncident::new(self.label, self.space.cause(cause), cause, opened, self.at));
        let index = self.open.len() - 1;
        self.space.mark(cause, self.label, Mark::Open, true);
        self.take_evidence(index);
        let by_severity = self.space.severities(cause, self.label);
        let incident = &mut self.open[index];
        if let Some(severity) = severity_of(by_severity, self.rules.severity_share) {
            incident.set_severity(severity);
        }
        let revision = incident.revise(IncidentChange::Opened, self.at);
        self.changes.revisions.push(revision);
    }

    /// The newest window of a cause's pairs that has the label.
    fn newest_evidence(&self, cause: CauseId) -> Option<WindowStart> {
        self.degraded_of(cause).into_iter().filter_map(|id| self.space.pair(id).newest()).max()
    }

    fn degraded_of(&self, cause: CauseId) -> Vec<PairId> {
        let has_label = |id: &PairId| self.space.pair(*id).degraded().is_some_and(|(label, _)| label == self.label);
        self.space.pairs_of(cause).iter().copied().filter(has_label).collect()
    }

    /// The evidence of an incident that was told, or told under another cause, at this look.
    fn take_evidence(&mut self, index: usize) {
        let cause = self.open[index].cause;
        let degraded = self.degraded_of(cause);
        let weight = self.space.weight(cause, self.label);
        let incident = &mut self.open[index];
        (incident.told.now, incident.told.at_first) = (weight, weight);
        incident.hold(true, weight, self.at);
        incident.told_by = degraded.iter().filter_map(|id| Some((*id, self.space.pair(*id).newest()?))).collect();
        degraded.into_iter().for_each(|id| self.add_member(index, id));
    }

    /// What was open turns out to be a part of something greater: the same incident, with another cause.
    fn amend(&mut self, first: usize, parts: Vec<usize>, cause: CauseId) {
        let was = self.open[first].cause;
        self.open[first].cause = cause;
        self.open[first].told.cause = self.space.cause(cause).clone();
        self.open[first].told.named = LogTime::from_ms(self.at.ms());
        self.space.mark(cause, self.label, Mark::Open, true);
        self.space.mark(was, self.label, Mark::Open, false);
        self.take_evidence(first);
        let revision = self.open[first].revise(IncidentChange::Cause, self.at);
        self.changes.revisions.push(revision);
        self.absorb(first, parts.into_iter().filter(|index| *index != first).collect());
    }

    /// Incidents become parts of another one, which takes their members.
    fn absorb(&mut self, outer: usize, parts: Vec<usize>) {
        if parts.is_empty() {
            return;
        }
        let because = format!("It is a part of the incident {}.", self.open[outer].id());
        parts.iter().for_each(|part| self.hand_over(*part, outer));
        let revision = self.open[outer].revise(IncidentChange::Absorbed, self.at);
        self.changes.revisions.push(revision);
        // From the last on, so that the places of the others stay what they are.
        parts.into_iter().rev().for_each(|part| self.remove(part, Some(because.clone())));
    }

    /// The members of an incident become those of another one.
    fn hand_over(&mut self, from: usize, to: usize) {
        let members: Vec<_> = self.open[from].members.iter().map(|(id, member)| (*id, *member)).collect();
        for (id, member) in members {
            self.take_member(to, id, member);
        }
        let (last, peak) = (self.open[from].told.last, self.open[from].told.peak_severity);
        let told = &mut self.open[to].told;
        (told.last, told.peak_severity) = (told.last.max(last), told.peak_severity.max(peak));
    }

    fn follow_severities(&mut self) {
        for incident in self.open.iter_mut() {
            let by_severity = self.space.severities(incident.cause, self.label);
            if incident.held_at == self.at && incident.follow_severity(by_severity, self.rules) {
                let revision = incident.revise(IncidentChange::Severity, self.at);
                self.changes.revisions.push(revision);
            }
        }
    }

    fn end(&mut self) {
        for index in (0..self.open.len()).rev() {
            let incident = &self.open[index];
            if let Some(because) = self.lost_evidence(incident) {
                self.remove(index, Some(because));
            } else if incident.is_over(self.rules) {
                self.remove(index, None);
            }
        }
        let (at_ms, window_ms) = (self.at.ms(), self.window_ms);
        for incident in self.open.iter_mut() {
            if at_ms - incident.told.named.ms() >= REVISED_FOR_LOOKS * window_ms {
                incident.told_by = Vec::new();
            }
        }
    }

    /// Why it should not have been told, if revised windows say so and no new one speaks for it.
    fn lost_evidence(&self, incident: &OpenIncident) -> Option<String> {
        if incident.held_at == self.at || incident.told_by.is_empty() {
            return None;
        }
        let all = incident.told_by.len() as u32;
        let has_had = |(id, window): &&(PairId, WindowStart)| self.space.pair(*id).has_had(self.label, *window);
        let left = incident.told_by.iter().filter(has_had).count() as u32;
        let weight = Weight { degraded: left, healthy: incident.told.at_first.healthy + all - left };
        let is_lost = left < all && (left < self.rules.least_pairs || !is_enough(weight, self.rules));
        let label = self.label;
        is_lost.then(|| {
            format!("Corrected measurements leave {left} of the {all} pairs that were {label} when it was told.")
        })
    }

    fn remove(&mut self, index: usize, withdrawn_because: Option<String>) {
        let incident = self.open.remove(index);
        self.finish(incident, withdrawn_because);
    }

    fn unmark(&mut self, cause: CauseId, label: Label) {
        self.space.mark(cause, label, Mark::Standing, false);
        self.space.mark(cause, label, Mark::Open, false);
    }

    fn finish(&mut self, mut incident: OpenIncident, withdrawn_because: Option<String>) {
        let change = if withdrawn_because.is_some() { IncidentChange::Withdrawn } else { IncidentChange::Closed };
        self.unmark(incident.cause, incident.told.label);
        incident.members.keys().for_each(|id| self.space.note(*id, |pair| pair.memberships -= 1));
        if incident.told.detected.ms() == self.at.ms() {
            return self.untell(incident.id());
        }
        incident.end(withdrawn_because, self.window_ms);
        incident.told.as_of = self.at;
        let revision = incident.revise(change, self.at);
        self.changes.revisions.push(revision);
        self.changes.incidents.push(incident.told);
    }

    /// It became a part of another one in the look that found it, and nobody has been told.
    fn untell(&mut self, id: &IncidentId) {
        self.given.remove(id);
        self.changes.members.retain(|member| member.incident != *id);
        self.changes.revisions.retain(|revision| revision.incident != *id);
    }

    /// Hands over what differs from the look before.
    fn tell(&mut self, before: &[netqoe_model::Incident]) {
        let before: BTreeMap<_, _> = before.iter().map(|told| (Arc::clone(&told.id.0), told)).collect();
        for incident in self.open.iter_mut() {
            if before.get(&incident.told.id.0).is_none_or(|told| **told != incident.told) {
                incident.told.as_of = self.at;
                self.changes.incidents.push(incident.told.clone());
            }
        }
        self.open.sort_by(|a, b| (a.told.opened, a.id()).cmp(&(b.told.opened, b.id())));
    }
}

fn is_enough(weight: Weight, rules: &FleetRules) -> bool {
    let Weight { degraded, healthy } = weight;
    let all = f64::from(degraded) + f64::from(healthy);
    degraded >= rules.keep_pairs && f64::from(degraded) >= rules.keep_share * all
}
