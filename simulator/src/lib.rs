//! Generated events with known faults in them, for benches, tests and the demo.
//!
//! [`Scenario`] is a log of a given size, with all that goes wrong on the way to a log: copies, delays, lateness,
//! malformed lines. [`Demo`] is an endless, clean schedule, of which any stretch of time can be asked for.
//! Both are pure functions of their seed: same seed, same bytes. [`Load`] is an even load at any rate, cheap to make.
//! [`RandomPairs`] is a log in which the events of a minute spread over few or many pairs.
//! [`simulation`] is a fleet with faults at every layer and the truth about them, for those who judge diagnoses.
//!
//! This crate must not know what becomes of an event: no window, no store, no diagnosis rule. It names the label that
//! each fault ought to lead to, so that others can be checked against it. It knows no clock and opens nothing.

mod demo;
mod fault;
mod line;
mod load;
mod noise;
mod random_pairs;
mod scenario;
pub mod simulation;
mod turn;

pub use demo::{Demo, Fault, Pair, Place};
pub use fault::FaultKind;
pub use line::Line;
pub use load::Load;
pub use random_pairs::RandomPairs;
pub use scenario::{Lines, Scenario};
