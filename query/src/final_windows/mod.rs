//! Final windows, kept in memory in columns: what is asked of a whole day of all pairs is added up from there, and only the
//! newest minutes and what is older are asked of the store.
//!
//! Every answer is the store's own, to the last bit: a window is kept once the log time of all partitions has passed its
//! end and the lateness, after which only a correction writes its row again. Corrections have numbers, and each snapshot says which
//! it has: of what was corrected after memory read it, or before a snapshot that is newer than the one that answers, nothing is used.
//! What memory does not have, the store is asked for.
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
