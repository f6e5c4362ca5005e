//! What tests break in a log on purpose; see [`netqoe_model::planted`].

use netqoe_model::planted::{Plant, planted};

/// Whether an append is answered while it still waits.
pub(crate) fn answers_at_once() -> bool {
    planted() == Some(&Plant::AckBeforeCommit)
}
