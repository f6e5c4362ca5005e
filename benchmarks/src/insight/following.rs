//! Holds what the windows of a pair were called against the truth, one window after the other.

use netqoe_model::Label;
use netqoe_simulator::simulation::{Access, ByLabel, Cause, Expectation, Shape, Strength};

use super::label_runs::{LabelRuns, Verdict};
use super::score::{Group, Kind, Lasted, Outcome, Score};

/// For so many windows after a fault, a label may still speak of it, and healthy is not expected either.
const EBBING_WINDOWS: u32 = 2;
/// So many windows after that are looked at as the hour after a fault.
const HOUR_WINDOWS: u32 = 60;
/// A fault with fewer windows can't be expected to be found.
const LEAST_WINDOWS: u32 = 3;

/// Follows one pair.
#[derive(Debug)]
pub(super) struct Following<'a> {
    score: &'a mut Score,
    kind: Kind,
    access: Access,
    window: u32,
    /// Windows since the last one that a fault touched.
    untouched: u32,
    /// The labels that had some reason in the last windows, the newest first.
    lately: [ByLabel<bool>; EBBING_WINDOWS as usize],
    episode: Option<Episode>,
    /// The fault that ended last, until another comes.
    ended: Option<Lasted>,
    runs: LabelRuns,
}

/// Windows that follow each other and have a right label.
#[derive(Debug)]
struct Episode {
    strength: Strength,
    flapping: bool,
    /// All that it has lasted ...
    windows: u32,
    /// ... and those in which something was measured.
    rows: u32,
    /// How many of these came before the first that was called rightly.
    named_after: Option<u32>,
}

impl<'a> Following<'a> {
    pub(super) fn new(score: &'a mut Score, kind: Kind, access: Access) -> Self {
        Self {
            score,
            kind,
            access,
            window: 0,
            untouched: EBBING_WINDOWS,
            lately: Default::default(),
            episode: None,
            ended: None,
            runs: LabelRuns::default(),
        }
    }

    /// The next window: what may be said of it, and what was, where something was measured.
    pub(super) fn window(&mut self, truth: &Expectation<'_>, said: Option<Option<Label>>) {
        self.window += 1;
        self.untouched = if truth.touched { 0 } else { self.untouched.saturating_add(1) };
        let strength = truth.strength();
        match strength {
            Some(strength) => self.go_on(strength, truth.flapping),
            None => self.end_episode(),
        }
        if truth.touched && strength.is_some() {
            self.ended = None;
        }
        if let Some(said) = said {
            let verdict = self.verdict(truth, said);
            if let Some(strength) = strength {
                self.count_faulty(truth, strength, said, verdict);
            } else if self.untouched > EBBING_WINDOWS {
                self.score.clean[self.kind as usize][self.access as usize].count(said);
            }
            if let Some(label) = degraded(said) {
                self.runs.degraded(self.window, label, verdict, &mut self.score.runs[self.kind as usize]);
            }
            self.count_after(said);
        }
        self.lately.rotate_right(1);
        self.lately[0] = truth.possible;
    }

    /// There are no more windows.
    pub(super) fn finish(mut self) {
        self.end_episode();
        self.runs.end(&mut self.score.runs[self.kind as usize]);
    }

    fn go_on(&mut self, strength: Strength, flapping: bool) {
        let new = Episode { strength, flapping, windows: 0, rows: 0, named_after: None };
        let episode = self.episode.get_or_insert(new);
        episode.windows += 1;
        episode.flapping |= flapping;
    }

    fn end_episode(&mut self) {
        let Some(episode) = self.episode.take() else { return };
        self.ended = Some(Lasted::of(episode.windows, episode.flapping));
        if episode.rows >= LEAST_WINDOWS {
            let group = Group::of(episode.strength, episode.flapping);
            self.score.delays[group.index()].count(episode.named_after);
        }
    }

    fn verdict(&self, truth: &Expectation<'_>, said: Option<Label>) -> Verdict {
        let Some(label) = degraded(said) else { return Verdict::Excused };
        let lately = self.lately.iter().any(|possible| possible[label as usize]);
        if truth.is_right(label) {
            Verdict::Right
        } else if truth.is_possible(label) || lately || (truth.strength().is_none() && self.untouched <= EBBING_WINDOWS)
        {
            Verdict::Excused
        } else {
            Verdict::False
        }
    }

    fn count_faulty(&mut self, truth: &Expectation<'_>, strength: Strength, said: Option<Label>, verdict: Verdict) {
        let Some(episode) = &mut self.episode else { return };
        let minute = episode.windows as usize - 1;
        let outcome = match (degraded(said), verdict) {
            (None, _) => Outcome::Missed,
            (Some(_), Verdict::Right) => Outcome::Right,
            (Some(_), Verdict::False) => Outcome::Wrong,
            // Another fault has just come or gone.
            (Some(_), Verdict::Excused) => return,
        };
        if outcome == Outcome::Right {
            episode.named_after.get_or_insert(episode.rows);
        }
        episode.rows += 1;
        let group = Group::of(strength, episode.flapping).index();
        self.score.by_group[group].count(outcome);
        if let Some(share) = self.score.by_minute[group].get_mut(minute) {
            share.count(outcome == Outcome::Right);
        }
        if truth.fault.is_some_and(|fault| fault.shape == Shape::Ramping)
            && let Some(share) = self.score.ramping_by_minute.get_mut(minute)
        {
            share.count(outcome == Outcome::Right);
        }
        let cause = truth.fault.map_or(Cause::ALL.len(), |fault| fault.cause as usize);
        let of_cause = &mut self.score.by_cause[cause];
        of_cause.called.count(said);
        of_cause.right[strength as usize].count(outcome == Outcome::Right);
        if let Some(fault) = truth.fault {
            self.score.by_shape[fault.shape as usize].count(outcome);
        }
    }

    /// What is said of a pair after the end of a fault, while no other has come.
    fn count_after(&mut self, said: Option<Label>) {
        let Some(lasted) = self.ended.filter(|_| self.untouched > 0) else { return };
        let after = &mut self.score.after[lasted as usize];
        if self.untouched == EBBING_WINDOWS {
            after.well.count(degraded(said).is_none());
        } else if (1..=HOUR_WINDOWS).contains(&self.untouched.saturating_sub(EBBING_WINDOWS)) {
            after.hour.count(said);
        }
    }
}

/// The label, where it says that something hurts.
fn degraded(said: Option<Label>) -> Option<Label> {
    said.filter(|label| *label != Label::Healthy)
}
