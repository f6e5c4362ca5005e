//! What the collection of windows holds of a pair, and what the collection of rows holds of a window.

use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

use netqoe_model::{Diagnosis, Label, WindowRow, WindowStart};

use crate::judge::{Judged, PairState};

/// Shared, as differential keeps and compares many copies; the start is there so that most comparisons need not look
/// further. What is past comes before what is current.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PairWindow {
    /// What the closed windows have led to. One value a pair, replaced as a whole, so that the history that a reduction
    /// reads stays short.
    Past(Option<WindowStart>, Shared<PairState>),
    /// A window that was closed just now, and judged when it was taken into what is past.
    Closed(WindowStart, Shared<WindowRow>, Verdict),
    /// An open window, to be judged.
    Open(WindowStart, Shared<WindowRow>),
}

/// What a window comes to. Most are healthy and nothing more, and there are many: these take no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    label: Option<Label>,
    more: Option<Shared<Judged>>,
}

impl From<Judged> for Verdict {
    fn from(judged: Judged) -> Self {
        let label = judged.diagnosis.as_ref().map(|diagnosis| diagnosis.label);
        let says_more = judged.pair_state.is_some()
            || !judged.ended_runs.is_empty()
            || judged.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.finding.is_some());
        Self { label, more: says_more.then(|| Shared(Rc::new(judged))) }
    }
}

impl Verdict {
    /// All of it.
    pub fn judged(&self) -> Judged {
        let only_label =
            || Judged { diagnosis: self.label.map(|label| Diagnosis { label, finding: None }), ..Judged::default() };
        self.more.as_deref().cloned().unwrap_or_else(only_label)
    }
}

impl PairWindow {
    /// The past of a pair.
    pub fn past(state: Rc<PairState>) -> Self {
        Self::Past(state.newest(), Shared(state))
    }

    /// A window that was closed and judged.
    pub fn closed(row: Rc<WindowRow>, judged: Judged) -> Self {
        Self::Closed(row.start, Shared(row), judged.into())
    }

    /// A window that can still change.
    pub fn open(row: Rc<WindowRow>) -> Self {
        Self::Open(row.start, Shared(row))
    }

    /// Start of a window; of what is past, of its newest.
    pub(crate) fn start(&self) -> Option<WindowStart> {
        match self {
            Self::Past(start, _) => *start,
            Self::Closed(start, ..) | Self::Open(start, _) => Some(*start),
        }
    }
}

/// A value of which copies are equal at a glance.
#[derive(Debug, PartialEq, Eq)]
pub struct Shared<T: ?Sized>(Rc<T>);

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Ord + ?Sized> Ord for Shared<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        if Rc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl<T: Ord + ?Sized> PartialOrd for Shared<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
