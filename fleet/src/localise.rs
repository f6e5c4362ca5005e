//! Which causes explain the pairs that have one label.
//!
//! Each cause has a score: how much more likely its pairs are what they are if it is the cause. The best is taken, its pairs
//! are taken out, and so on. Scores are whole numbers, so that they are the same on every machine and in every order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use netqoe_model::{Cause, FleetRules, Label};

use crate::space::{CauseId, Evidence, PairId, Space};

/// Scores are counted in this part of the natural logarithm.
const PARTS: f64 = 1e6;

/// When a cause is named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    least_pairs: u32,
    /// What a pair with the label adds, what one that is suspected does, and what a healthy one takes away.
    for_it: i64,
    suspected: i64,
    against_it: i64,
    score: i64,
    share: f64,
}

impl Bar {
    pub(crate) fn new(rules: &FleetRules) -> Self {
        Self::beside(rules, 0.0)
    }

    /// For causes among pairs of which this share has the label anyway.
    pub(crate) fn beside(rules: &FleetRules, share: f64) -> Self {
        let most = rules.degraded_if_cause;
        let otherwise = |least: f64| least.max(share).min(most);
        let (if_cause, suspected) = (most, otherwise(rules.suspected_otherwise));
        let otherwise = otherwise(rules.degraded_otherwise);
        Self {
            least_pairs: rules.least_pairs,
            for_it: ((if_cause / otherwise).ln() * PARTS).round() as i64,
            suspected: ((if_cause / suspected).ln() * PARTS).round() as i64,
            against_it: (((1.0 - otherwise) / (1.0 - if_cause)).ln() * PARTS).round() as i64,
            score: (rules.open_score * PARTS).round() as i64,
            share: rules.open_share,
        }
    }

    /// The score of a cause with so much evidence, if it is high enough.
    pub(crate) fn score(&self, evidence: Evidence) -> Option<i64> {
        let Evidence { degraded, suspected, healthy } = evidence;
        let score = i64::from(degraded) * self.for_it + i64::from(suspected) * self.suspected
            - i64::from(healthy) * self.against_it;
        let for_it = evidence.for_it();
        let share = self.share * (f64::from(for_it) + f64::from(healthy));
        (for_it >= self.least_pairs && score >= self.score && f64::from(for_it) >= share).then_some(score)
    }

    /// What the best of several causes is the greatest by, if it can be named.
    pub(crate) fn rank<'a>(&self, space: &'a Space, id: CauseId, evidence: Evidence) -> Option<impl Ord + use<'a>> {
        self.candidate(space, id, evidence)
    }

    fn candidate<'a>(&self, space: &'a Space, id: CauseId, evidence: Evidence) -> Option<Candidate<'a>> {
        let (score, pairs) = (self.score(evidence)?, Reverse(space.pairs_of(id).len()));
        Some(Candidate { score, pairs, cause: Reverse(space.cause(id)), id })
    }
}

/// A cause that could be named. The greatest is the best: the highest score, then the narrowest, then the first by bytes.
struct Candidate<'a> {
    score: i64,
    pairs: Reverse<usize>,
    cause: Reverse<&'a Cause>,
    id: CauseId,
}

impl Candidate<'_> {
    fn rank(&self) -> (i64, Reverse<usize>, Reverse<&Cause>) {
        (self.score, self.pairs, self.cause)
    }
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate<'_> {}

/// The causes of a label, the best first, among the pairs that no standing incident explains.
pub(crate) fn localise(space: &Space, label: Label, bar: &Bar) -> Vec<CauseId> {
    let candidate = |id, evidence| bar.candidate(space, id, evidence);
    let candidates = space.candidates(label).iter();
    let mut best: BinaryHeap<_> = candidates.filter_map(|id| candidate(*id, space.unexplained(*id, label))).collect();
    if best.is_empty() {
        return Vec::new();
    }
    let mut out = TakenOut::new(space, label);
    let mut found = Vec::new();
    while let Some(next) = best.pop() {
        // Its pairs may have been taken out since it was put into the heap; then it is there again with its present score.
        if bar.score(out.left(next.id)) != Some(next.score) {
            continue;
        }
        found.push(next.id);
        let touched = out.take(next.id);
        best.extend(touched.into_iter().filter_map(|id| candidate(id, out.left(id))));
    }
    found
}

/// What the causes that were found have taken out.
struct TakenOut<'a> {
    space: &'a Space,
    label: Label,
    is_out: Vec<bool>,
    by_cause: Vec<Evidence>,
    is_touched: Vec<bool>,
}

impl<'a> TakenOut<'a> {
    fn new(space: &'a Space, label: Label) -> Self {
        let causes = space.cause_places();
        Self {
            space,
            label,
            is_out: vec![false; space.pair_places()],
            by_cause: vec![Evidence::default(); causes],
            is_touched: vec![false; causes],
        }
    }

    fn left(&self, id: CauseId) -> Evidence {
        self.space.unexplained(id, self.label).without(self.by_cause[id.index()])
    }

    /// Takes out the pairs of a cause. Answers the causes of which something was taken out.
    fn take(&mut self, id: CauseId) -> Vec<CauseId> {
        let mut touched = Vec::new();
        for pair in self.space.pairs_of(id) {
            if !std::mem::replace(&mut self.is_out[pair.index()], true) {
                self.take_pair(*pair, &mut touched);
            }
        }
        touched.iter().for_each(|id| self.is_touched[id.index()] = false);
        touched
    }

    fn take_pair(&mut self, id: PairId, touched: &mut Vec<CauseId>) {
        let pair = self.space.pair(id);
        let mut evidence = Evidence::default();
        evidence.count(pair.present, self.label);
        if evidence == Evidence::default() || self.space.is_explained(id, self.label) {
            return;
        }
        for place in &pair.causes {
            let index = place.cause.index();
            self.by_cause[index] = self.by_cause[index].and(evidence);
            if !std::mem::replace(&mut self.is_touched[index], true) {
                touched.push(place.cause);
            }
        }
    }
}
