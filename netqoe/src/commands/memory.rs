//! The bound on this process's memory (`--max-memory`), held against what the system says of it.

use std::io;
use std::num::NonZeroU64;

use netqoe_ingest::MemoryBound;
use netqoe_server::ComponentCheck;

use super::resources::resident_memory_bytes;
use crate::exit::WrongUsage;

/// The bound, with a first reading.
///
/// # Errors
/// [`WrongUsage`] where the system does not say how much memory the process has.
pub(super) fn bound(max_memory: NonZeroU64) -> Result<MemoryBound, WrongUsage> {
    bound_by(max_memory, resident_memory_bytes)
}

fn bound_by(max_memory: NonZeroU64, read: impl Fn() -> io::Result<u64>) -> Result<MemoryBound, WrongUsage> {
    let resident_bytes = read().map_err(|error| {
        WrongUsage(format!(
            "--max-memory can't be held: this system does not say how much memory the process has resident ({error}); leave it \
             out, and bound the pairs of client and target by --max-pairs"
        ))
    })?;
    let bound = MemoryBound::new(max_memory);
    bound.note(resident_bytes);
    Ok(bound)
}

/// Known pairs go on without it.
pub(super) fn check(bound: &MemoryBound) -> ComponentCheck {
    let bound = bound.clone();
    ComponentCheck { component: "memory", needed_for_ready: false, check: Box::new(move || bound.check()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reading_counts() {
        let mebibyte = NonZeroU64::new(1 << 20).unwrap();
        assert!(bound(mebibyte).unwrap().check().is_err(), "no program is as small");
        assert_eq!(bound(NonZeroU64::MAX).unwrap().check(), Ok(()));
    }

    #[test]
    fn a_system_that_does_not_say_is_no_place_for_it() {
        let read = || Err(io::Error::new(io::ErrorKind::NotFound, "there is no /proc"));
        let WrongUsage(message) = bound_by(NonZeroU64::MIN, read).unwrap_err();
        assert!(message.contains("--max-memory") && message.contains("there is no /proc"), "{message}");
    }
}
