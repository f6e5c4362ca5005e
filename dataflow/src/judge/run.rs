//! Runs: since when a pair has had its label, and when that ended.

use netqoe_model::{Label, Rules, Run, WindowStart};
use serde::{Deserialize, Serialize};

/// What does not interrupt a stretch of windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridge {
    pub(super) window_ms: i64,
    bridged_windows: u32,
    within_ms: i64,
    /// The pair's window before the present one.
    previous: Option<WindowStart>,
}

impl Bridge {
    pub(super) fn new(rules: &Rules, previous: Option<WindowStart>) -> Self {
        let evidence = &rules.diagnosis.evidence;
        let (bridged_windows, within_ms) = (evidence.bridged_windows, evidence.within_ms());
        Self { window_ms: rules.window_ms, bridged_windows, within_ms, previous }
    }

    /// Whether the present window can go on with what last held in an earlier one: after a few windows, or after silence
    /// that is no longer than evidence may lie apart. So pairs that are measured every five minutes have runs, too.
    fn joins(self, earlier: WindowStart, present: WindowStart) -> bool {
        let apart_ms = present.ms() - earlier.ms();
        let is_silence = self.previous == Some(earlier) && apart_ms <= self.within_ms;
        is_silence || apart_ms <= (i64::from(self.bridged_windows) + 1) * self.window_ms
    }
}

/// A stretch of windows in which something holds, short gaps included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) since: WindowStart,
    last: WindowStart,
}

impl Stretch {
    /// The stretch that a window belongs to in which it holds.
    pub(super) fn extended(before: Option<Self>, start: WindowStart, bridge: Bridge) -> Self {
        let joined = before.filter(|before| bridge.joins(before.last, start));
        Self { since: joined.map_or(start, |before| before.since), last: start }
    }

    /// The stretch after a window in which it holds or does not.
    pub(super) fn after(before: Option<Self>, holds: bool, start: WindowStart, bridge: Bridge) -> Option<Self> {
        if holds {
            Some(Self::extended(before, start, bridge))
        } else {
            before.filter(|before| !before.is_over(start, bridge))
        }
    }

    /// Whether it extends to the present window, and began at least `windows` window lengths before.
    pub(super) fn has_lasted(self, windows: u16, start: WindowStart, bridge: Bridge) -> bool {
        !self.is_over(start, bridge) && start.ms() - self.since.ms() >= i64::from(windows) * bridge.window_ms
    }

    /// Whether no window from this one on can belong to it.
    pub(super) fn is_over(self, start: WindowStart, bridge: Bridge) -> bool {
        !bridge.joins(self.last, start)
    }
}

/// Labels that have runs: all but healthy.
const LABELS: usize = Label::ALL.len() - 1;

/// What of a pair lasts or has lasted for some windows. Most pairs are in good order and have nothing of the kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Stretches", into = "Stretches")]
pub(super) struct Lasting(Option<Box<Stretches>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Stretches {
    failing: Option<Stretch>,
    /// The latest run of each label that may still go on.
    runs: [Option<Stretch>; LABELS],
}

impl From<Lasting> for Stretches {
    fn from(lasting: Lasting) -> Self {
        lasting.0.as_deref().copied().unwrap_or_default()
    }
}

impl From<Stretches> for Lasting {
    fn from(stretches: Stretches) -> Self {
        Self((stretches != Stretches::default()).then(|| Box::new(stretches)))
    }
}

impl Lasting {
    /// The stretch in which its measurements have failed.
    pub(super) fn failing(&self) -> Option<Stretch> {
        self.0.as_ref()?.failing
    }

    /// A window in which they fail or do not.
    pub(super) fn see_failing(&mut self, is_failing: bool, start: WindowStart, bridge: Bridge) {
        let failing = Stretch::after(self.failing(), is_failing, start, bridge);
        if failing != self.failing() {
            self.0.get_or_insert_default().failing = failing;
            self.forget_nothing();
        }
    }

    /// A window has this label: since when has the pair had it?
    pub(super) fn extend(&mut self, label: Label, start: WindowStart, bridge: Bridge) -> WindowStart {
        if label as usize >= LABELS {
            return start;
        }
        let run = &mut self.0.get_or_insert_default().runs[label as usize];
        let extended = Stretch::extended(*run, start, bridge);
        *run = Some(extended);
        extended.since
    }

    /// Takes out the runs that a window comes too late for.
    pub(super) fn end(&mut self, start: WindowStart, bridge: Bridge) -> Vec<Run> {
        let mut ended = Vec::new();
        let Some(stretches) = &mut self.0 else { return ended };
        for (run, label) in stretches.runs.iter_mut().zip(Label::ALL) {
            if let Some(over) = run.take_if(|run| run.is_over(start, bridge)) {
                let until = WindowStart::from_ms(over.last.ms() + bridge.window_ms);
                ended.push(Run { label, since: over.since, until });
            }
        }
        self.forget_nothing();
        ended
    }

    fn forget_nothing(&mut self) {
        self.0.take_if(|stretches| **stretches == Stretches::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIDGE: Bridge = Bridge { window_ms: 60_000, bridged_windows: 2, within_ms: 900_000, previous: None };

    fn minute(minute: i64) -> WindowStart {
        WindowStart::from_ms(minute * 60_000)
    }

    #[test]
    fn a_run_goes_on_over_two_windows_and_ends_with_the_third() {
        let mut runs = Lasting::default();
        assert_eq!(runs.extend(Label::DnsBound, minute(5), BRIDGE), minute(5));
        assert_eq!(runs.end(minute(8), BRIDGE), []);
        assert_eq!(runs.extend(Label::DnsBound, minute(8), BRIDGE), minute(5));
        assert_eq!(runs.end(minute(11), BRIDGE), []);
        let ended = Run { label: Label::DnsBound, since: minute(5), until: minute(9) };
        assert_eq!(runs.end(minute(12), BRIDGE), [ended]);
        assert_eq!(runs.end(minute(13), BRIDGE), [], "it is told once");
        assert_eq!(runs.extend(Label::DnsBound, minute(13), BRIDGE), minute(13));
    }

    #[test]
    fn silence_ends_a_run_only_where_it_is_long() {
        let mut runs = Lasting::default();
        runs.extend(Label::DnsBound, minute(5), BRIDGE);
        let after_silence = Bridge { previous: Some(minute(5)), ..BRIDGE };
        assert_eq!(runs.end(minute(20), after_silence), []);
        assert_eq!(runs.extend(Label::DnsBound, minute(20), after_silence), minute(5));
        let after_silence = Bridge { previous: Some(minute(20)), ..BRIDGE };
        assert_eq!(runs.end(minute(36), after_silence).len(), 1, "16 minutes are too long");
    }

    #[test]
    fn labels_have_runs_of_their_own() {
        let mut runs = Lasting::default();
        runs.extend(Label::ErrorBound, minute(1), BRIDGE);
        runs.extend(Label::ThroughputBound, minute(2), BRIDGE);
        assert_eq!(runs.extend(Label::ErrorBound, minute(3), BRIDGE), minute(1));
        assert_eq!(runs.end(minute(9), BRIDGE).len(), 2);
    }
}
