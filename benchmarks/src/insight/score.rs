//! What is counted of the windows of many pairs. Scores of different pairs add up, in any order.

use netqoe_model::Label;
use netqoe_simulator::simulation::{Access, Cause, Shape, Strength};

/// What windows were called, by label, and how many were not called anything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Called {
    by_label: [u64; Label::ALL.len()],
    nothing: u64,
}

impl Called {
    pub(super) fn count(&mut self, said: Option<Label>) {
        match said {
            Some(label) => self.by_label[label as usize] += 1,
            None => self.nothing += 1,
        }
    }

    pub(super) fn of(&self, label: Label) -> u64 {
        self.by_label[label as usize]
    }

    pub(super) fn nothing(&self) -> u64 {
        self.nothing
    }

    pub(super) fn all(&self) -> u64 {
        self.by_label.iter().sum::<u64>() + self.nothing
    }

    /// Those that were called anything but healthy.
    pub(super) fn degraded(&self) -> u64 {
        self.all() - self.nothing - self.of(Label::Healthy)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.by_label.iter_mut().zip(other.by_label).for_each(|(count, more)| *count += more);
        self.nothing += other.nothing;
    }
}

/// How many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Share {
    pub(super) part: u64,
    pub(super) all: u64,
}

impl Share {
    pub(super) fn count(&mut self, is_part: bool) {
        self.part += u64::from(is_part);
        self.all += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.part += other.part;
        self.all += other.all;
    }
}

/// What became of windows that have a right label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Outcomes {
    pub(super) right: u64,
    /// Called something else that hurts.
    pub(super) wrong: u64,
    /// Called healthy, or nothing.
    pub(super) missed: u64,
}

impl Outcomes {
    pub(super) fn all(&self) -> u64 {
        self.right + self.wrong + self.missed
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Right => self.right += 1,
            Outcome::Wrong => self.wrong += 1,
            Outcome::Missed => self.missed += 1,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }
}

/// What became of a window that has a right label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Right,
    Wrong,
    Missed,
}

/// Delays from this on are counted as one.
const LONGEST_DELAY: usize = 60;

/// How many windows had gone by before one was called rightly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Delays {
    by_windows: [u64; LONGEST_DELAY + 1],
    never: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { by_windows: [0; LONGEST_DELAY + 1], never: 0 }
    }
}

impl Delays {
    pub(super) fn count(&mut self, windows: Option<u32>) {
        match windows {
            Some(windows) => self.by_windows[(windows as usize).min(LONGEST_DELAY)] += 1,
            None => self.never += 1,
        }
    }

    pub(super) fn all(&self) -> u64 {
        self.by_windows.iter().sum::<u64>() + self.never
    }

    pub(super) fn never(&self) -> u64 {
        self.never
    }

    pub(super) fn found(&self) -> Share {
        Share { part: self.all() - self.never, all: self.all() }
    }

    /// Those that took at most so many windows.
    pub(super) fn within(&self, windows: usize) -> Share {
        Share { part: self.by_windows[..=windows].iter().sum(), all: self.all() }
    }

    /// The delay that half of them do not exceed; none where that is longer than any that is told apart.
    pub(super) fn median(&self) -> Option<usize> {
        (0..LONGEST_DELAY).find(|&windows| self.within(windows).part * 2 >= self.all())
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.by_windows.iter_mut().zip(other.by_windows).for_each(|(count, more)| *count += more);
        self.never += other.never;
    }
}

/// What windows with a right label were called.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OfCause {
    pub(super) called: Called,
    /// By [`Strength`].
    pub(super) right: [Share; Strength::ALL.len()],
}

/// Which minutes of a fault are looked at one by one.
pub(super) const MINUTES: usize = 120;

/// How long a fault had lasted when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasted {
    /// It may come back.
    Flapping,
    UnderHalfAnHour,
    UnderTwoHours,
    Longer,
}

impl Lasted {
    pub(super) const ALL: [Self; 4] = [Self::Flapping, Self::UnderHalfAnHour, Self::UnderTwoHours, Self::Longer];

    pub(super) fn of(minutes: u32, flapping: bool) -> Self {
        match minutes {
            _ if flapping => Self::Flapping,
            0..30 => Self::UnderHalfAnHour,
            30..120 => Self::UnderTwoHours,
            _ => Self::Longer,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Flapping => "each time of a flapping one",
            Self::UnderHalfAnHour => "under 30 minutes",
            Self::UnderTwoHours => "30 to 120 minutes",
            Self::Longer => "2 hours and more",
        }
    }
}

/// What pairs were called once they were well again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct After {
    /// The second window, called healthy or nothing.
    pub(super) well: Share,
    /// The windows of the hour after it.
    pub(super) hour: Called,
}

/// Faults of pairs that are looked at together: those of one strength that do not flap, or all that flap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group(usize);

impl Group {
    pub(super) const COUNT: usize = Strength::ALL.len() + 1;

    pub(super) const fn of(strength: Strength, flapping: bool) -> Self {
        if flapping { Self(Strength::ALL.len()) } else { Self(strength as usize) }
    }

    /// With their names.
    pub(super) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        let steady = Strength::ALL.into_iter().map(|strength| (Self::of(strength, false), strength.as_str()));
        steady.chain([(Self::of(Strength::Clear, true), "flapping, each time")])
    }

    pub(super) const fn index(self) -> usize {
        self.0
    }
}

/// Whether anything goes wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Clean,
    WithFaults,
}

/// All that is counted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Score {
    /// Clean windows, by [`Kind`] and by [`Access`].
    pub(super) clean: [[Called; Access::ALL.len()]; 2],
    /// Windows with a right label, by [`Group`].
    pub(super) by_group: [Outcomes; Group::COUNT],
    /// Those of one fault alone, by its [`Shape`] ...
    pub(super) by_shape: [Outcomes; Shape::ALL.len()],
    /// ... and by its [`Cause`]; the last are those of several at once.
    pub(super) by_cause: [OfCause; Cause::ALL.len() + 1],
    /// Windows called rightly, by [`Group`] and by minute of the fault, the first at 0.
    pub(super) by_minute: [[Share; MINUTES]; Group::COUNT],
    /// The same of those that grow.
    pub(super) ramping_by_minute: [Share; MINUTES],
    /// Faults of pairs, by [`Group`].
    pub(super) delays: [Delays; Group::COUNT],
    /// Runs of windows with the same label that were right at some time, by [`Kind`].
    pub(super) runs: [Share; 2],
    /// By [`Lasted`].
    pub(super) after: [After; Lasted::ALL.len()],
}

impl Default for Score {
    fn default() -> Self {
        Self {
            clean: Default::default(),
            by_group: Default::default(),
            by_shape: Default::default(),
            by_cause: Default::default(),
            by_minute: [[Share::default(); MINUTES]; Group::COUNT],
            ramping_by_minute: [Share::default(); MINUTES],
            delays: Default::default(),
            runs: Default::default(),
            after: Default::default(),
        }
    }
}

impl Score {
    pub(super) fn add(&mut self, other: &Self) {
        let pairs = self.clean.as_flattened_mut().iter_mut().zip(other.clean.as_flattened());
        pairs.for_each(|(called, more)| called.add(more));
        self.by_group.iter_mut().zip(&other.by_group).for_each(|(outcomes, more)| outcomes.add(more));
        self.by_shape.iter_mut().zip(&other.by_shape).for_each(|(outcomes, more)| outcomes.add(more));
        for (of_cause, more) in self.by_cause.iter_mut().zip(&other.by_cause) {
            of_cause.called.add(&more.called);
            of_cause.right.iter_mut().zip(&more.right).for_each(|(share, more)| share.add(more));
        }
        let pairs = self.by_minute.as_flattened_mut().iter_mut().zip(other.by_minute.as_flattened());
        pairs.for_each(|(share, more)| share.add(more));
        self.ramping_by_minute.iter_mut().zip(&other.ramping_by_minute).for_each(|(share, more)| share.add(more));
        self.delays.iter_mut().zip(&other.delays).for_each(|(delays, more)| delays.add(more));
        self.runs.iter_mut().zip(&other.runs).for_each(|(share, more)| share.add(more));
        for (after, more) in self.after.iter_mut().zip(&other.after) {
            after.well.add(&more.well);
            after.hour.add(&more.hour);
        }
    }
}
