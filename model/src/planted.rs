//! What tests break on purpose, to see that they notice. Only the feature `planted-faults` brings it into a build, and
//! that is for tests: a release does not compile with it.
//!
//! A process has one plant, or none. The crate that is to be broken asks for it at the one place that it breaks.
//!
//! Decision: D-025.

use std::str::FromStr;
use std::sync::OnceLock;

#[cfg(not(debug_assertions))]
compile_error!("planted-faults is for tests; a release must not have it");

/// Comes before the id of the event in [`Plant::Poison`].
const POISON: &str = "poison=";
/// Comes before the id of the event in [`Plant::Hang`].
const HANG: &str = "hang=";

static PLANTED: OnceLock<Plant> = OnceLock::new();

/// One thing that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The log says that it has events while they still wait.
    AckBeforeCommit,
    /// The store takes commits of every generation.
    NoFence,
    /// Progress is committed in a transaction of its own, before the rows that it stands for.
    ProgressBeforeRows,
    /// Each copy of an event counts.
    SkipDeduplication,
    /// What is read again at a start is put into windows that were closed before, too.
    RewriteClosedWindows,
    /// Windows close when the machine's clock has passed them.
    CloseByWallClock,
    /// Reading the event of this id ends the process.
    Poison(String),
    /// The worker that reads the event of this id never goes on.
    Hang(String),
}

/// Plants without an argument, by name.
const NAMED: [(&str, Plant); 6] = [
    ("ack-before-commit", Plant::AckBeforeCommit),
    ("no-fence", Plant::NoFence),
    ("progress-before-rows", Plant::ProgressBeforeRows),
    ("skip-deduplication", Plant::SkipDeduplication),
    ("rewrite-closed-windows", Plant::RewriteClosedWindows),
    ("close-by-wall-clock", Plant::CloseByWallClock),
];

/// A name that no plant has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no planted fault is named {given}; there are {}, {POISON}EVENT_ID, {HANG}EVENT_ID", NAMED.map(|(name, _)| name).join(", "))]
pub struct UnknownPlant {
    given: String,
}

impl FromStr for Plant {
    type Err = UnknownPlant;

    fn from_str(given: &str) -> Result<Self, UnknownPlant> {
        if let Some(event_id) = given.strip_prefix(POISON) {
            return Ok(Self::Poison(event_id.to_owned()));
        }
        if let Some(event_id) = given.strip_prefix(HANG) {
            return Ok(Self::Hang(event_id.to_owned()));
        }
        let named = NAMED.into_iter().find(|(name, _)| *name == given);
        named.map(|(_, plant)| plant).ok_or_else(|| UnknownPlant { given: given.to_owned() })
    }
}

/// Breaks it, for the rest of the process. What was planted first stays.
pub fn plant(plant: Plant) {
    PLANTED.get_or_init(|| plant);
}

/// What is broken.
pub fn planted() -> Option<&'static Plant> {
    PLANTED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plant_is_known_by_its_name_only() {
        for (name, plant) in NAMED {
            assert_eq!(name.parse(), Ok(plant));
        }
        assert_eq!("poison=e-1".parse(), Ok(Plant::Poison("e-1".to_owned())));
        assert_eq!("hang=e-1".parse(), Ok(Plant::Hang("e-1".to_owned())));
        let unknown = "poison".parse::<Plant>().unwrap_err().to_string();
        assert!(unknown.contains("named poison;") && unknown.contains("no-fence"), "{unknown}");
    }
}
