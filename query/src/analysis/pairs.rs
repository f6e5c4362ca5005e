//! Answers that hold something of each pair.

use netqoe_sinks::read::ReadError;

use crate::answer::Refusal;

/// More than a fleet of this kind has; a hundred megabytes while they are looked at.
const MAX_PAIRS: u32 = 1_000_000;

/// What is read, of one pair more at most than there may be; refused where there are too many.
pub(crate) fn of_all_pairs<T>(read: impl FnOnce(u32) -> Result<Vec<T>, ReadError>) -> Result<Vec<T>, Refusal> {
    let records = read(MAX_PAIRS + 1)?;
    if records.len() > MAX_PAIRS as usize {
        let message = format!("more than {MAX_PAIRS} pairs have rows; narrow it with client_id or target");
        return Err(Refusal::invalid(message));
    }
    Ok(records)
}
