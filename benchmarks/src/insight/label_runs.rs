//! Runs of windows with the same label, with short gaps in them, and whether they were right.

use netqoe_model::Label;

use super::score::Share;

/// A run goes on after so many windows that are healthy or empty. Another label ends it.
const BRIDGED_WINDOWS: u32 = 2;

/// The run that a pair is in.
#[derive(Debug, Default)]
pub(super) struct LabelRuns {
    current: Option<Run>,
}

#[derive(Debug)]
struct Run {
    label: Label,
    newest: u32,
    /// Whether its label was right for one of its windows ...
    right: bool,
    /// ... or was neither right nor wrong.
    excused: bool,
}

/// Whether a window's label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Excused,
    False,
}

impl LabelRuns {
    /// A window has a label that says that something hurts.
    pub(super) fn degraded(&mut self, window: u32, label: Label, verdict: Verdict, runs: &mut Share) {
        let goes_on =
            self.current.as_ref().is_some_and(|run| run.label == label && window - run.newest <= BRIDGED_WINDOWS + 1);
        if !goes_on {
            self.end(runs);
        }
        let run = self.current.get_or_insert(Run { label, newest: window, right: false, excused: false });
        run.newest = window;
        run.right |= verdict == Verdict::Right;
        run.excused |= verdict == Verdict::Excused;
    }

    /// Counts the run that has ended, unless all that can be said of it is that it was no mistake.
    pub(super) fn end(&mut self, runs: &mut Share) {
        if let Some(run) = self.current.take()
            && (run.right || !run.excused)
        {
            runs.count(run.right);
        }
    }
}
