//! What a window is: pure state that takes events in log order and gives rows, with no thought of workers or epochs.

mod clients;
mod corrected;
mod few;
mod kept_once;
mod known_tags;
mod late;
mod open_window;
mod pairs;
mod partition;
mod partition_state;
mod samples;
mod seen;
mod waiting;

pub use crate::event_batch::NO_SAMPLE;
pub use corrected::{CorrectedPairs, CorrectedPast};
pub use late::LateEvents;
pub use open_window::OpenWindow;
pub use pairs::{PairId, PairName};
pub use partition::{ClosedWindow, PairLook, PairSighting, PartitionWindows, WindowChange, WindowOutput};
pub use partition_state::PartitionState;
pub use samples::SampleSet;
pub use seen::SeenIds;
