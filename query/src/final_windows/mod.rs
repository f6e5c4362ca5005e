//! Windows that can't change any more, kept in memory in columns: what is asked of a whole day of all pairs is added up
//! from there, and only the newest minutes and what is older are asked of the store.
//!
//! Every answer is the store's own, to the last bit: a window is kept once the log time of all partitions has passed its
//! end and the lateness, after which its row is never written again. What memory does not have, the store is asked for.
//!
//! Decision: D-050.

mod block;
mod column;
mod degraded;
mod filling;
mod kept;
mod points;
mod reader;
mod split;
mod totals;

pub use filling::{Filling, keep_filled};
pub use reader::FinalWindowsReader;
