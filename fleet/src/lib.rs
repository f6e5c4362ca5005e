//! From looks at pairs to incidents of the fleet: which pairs suffer from one cause, and which are silent.
//!
//! [`Fleet`] is a fold. It takes the looks of all partitions, minute by minute, and answers what has changed. The work of a
//! look follows from the pairs that it brings, not from the size of the fleet. docs/incidents.md defines every rule.
//!
//! This crate must not know where looks come from and where incidents go: no log, no store, no thread, no clock. Whatever it
//! says follows from the looks, the rules and the window's length. Nothing in it depends on the order of a hash map.
//!
//! Of incidents that were found it also says which fault each is of ([`matching`]), and how two findings of one history differ
//! ([`comparison`]).
//!
//! Decision: D-088.

pub mod comparison;
mod fold;
mod host;
mod incident;
mod life;
mod localise;
pub mod matching;
mod pair;
mod refold;
mod rhythm;
mod space;
mod stored;
#[cfg(test)]
mod tests;

pub use fold::Fleet;
pub use refold::{Because, FoundBefore, Refold, Refolded};
pub use space::causes_that_hold;
