//! What the collection of windows holds of a pair.
//!
//! Decision: D-014.

use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

use netqoe_model::{WindowRow, WindowStart};

use crate::judge::PairState;

/// Shared, as differential keeps and compares many copies; the start is there so that most comparisons need not look
/// further. What is past comes before what is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PairWindow {
    /// What the closed windows have led to. One value a pair, replaced as a whole, so that the history that a reduction
    /// reads stays short.
    Past(Option<WindowStart>, Shared<PairState>),
    /// A window that can still change.
    Open(WindowStart, Shared<WindowRow>),
}

impl PairWindow {
    /// The past of a pair.
    pub fn past(state: Rc<PairState>) -> Self {
        Self::Past(state.newest(), Shared(state))
    }

    /// A window that can still change.
    pub fn open(row: Rc<WindowRow>) -> Self {
        Self::Open(row.start, Shared(row))
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
