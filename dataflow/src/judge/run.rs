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

/// The latest run of each label that may still go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Runs([Option<Stretch>; LABELS]);

impl Runs {
    /// A window has this label: since when has the pair had it?
    pub(super) fn extend(&mut self, label: Label, start: WindowStart, bridge: Bridge) -> WindowStart {
        let Some(run) = self.0.get_mut(label as usize) else { return start };
        let extended = Stretch::extended(*run, start, bridge);
        *run = Some(extended);
        extended.since
    }

    /// Takes out the runs that a window comes too late for.
    pub(super) fn end(&mut self, start: WindowStart, bridge: Bridge) -> Vec<Run> {
        let mut ended = Vec::new();
        for (run, label) in self.0.iter_mut().zip(Label::ALL) {
            if let Some(over) = run.take_if(|run| run.is_over(start, bridge)) {
                let until = WindowStart::from_ms(over.last.ms() + bridge.window_ms);
                ended.push(Run { label, since: over.since, until });
            }
        }
        ended
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
        let mut runs = Runs::default();
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
        let mut runs = Runs::default();
        runs.extend(Label::DnsBound, minute(5), BRIDGE);
        let after_silence = Bridge { previous: Some(minute(5)), ..BRIDGE };
        assert_eq!(runs.end(minute(20), after_silence), []);
        assert_eq!(runs.extend(Label::DnsBound, minute(20), after_silence), minute(5));
        let after_silence = Bridge { previous: Some(minute(20)), ..BRIDGE };
        assert_eq!(runs.end(minute(36), after_silence).len(), 1, "16 minutes are too long");
    }

    #[test]
    fn labels_have_runs_of_their_own() {
        let mut runs = Runs::default();
        runs.extend(Label::ErrorBound, minute(1), BRIDGE);
        runs.extend(Label::ThroughputBound, minute(2), BRIDGE);
        assert_eq!(runs.extend(Label::ErrorBound, minute(3), BRIDGE), minute(1));
        assert_eq!(runs.end(minute(9), BRIDGE).len(), 2);
    }
}
