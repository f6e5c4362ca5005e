//! Whether what the log takes becomes rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Backlog, LogClockCheck, Observed};

/// A commit is made many times a second while events come; a store that is slow takes seconds. What waits longer than
/// this waits for something that is broken.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// Says at once what is wrong with a part of the process.
pub(crate) type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Whether the dataflow reads the log, commits, and counts what comes now.
pub(crate) struct DataflowHealth {
    pub(crate) log_clock: LogClockCheck,
    /// Whether the log's records are what was written, where they tell.
    pub(crate) records_intact: Option<Check>,
}

impl DataflowHealth {
    pub(crate) fn check(&self, observed: &Observed, backlog: &Backlog) -> Result<(), String> {
        backlog.unreadable().map_or(Ok(()), Err)?;
        commits(backlog.stalled_for(Instant::now()), backlog.records())?;
        self.log_clock.check(observed)?;
        self.records_intact.as_ref().map_or(Ok(()), |intact| intact())
    }
}

/// Whether a pipeline commits in which so many records wait, and nothing was committed for so long.
fn commits(stalled_for: Duration, records: u64) -> Result<(), String> {
    if stalled_for < STALLED_AFTER {
        return Ok(());
    }
    let seconds = stalled_for.as_secs();
    Err(format!("{records} records of the log wait, and nothing was committed for {seconds} s; look at the store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_stands_still_is_failing() {
        assert_eq!(commits(Duration::ZERO, 0), Ok(()));
        assert_eq!(commits(STALLED_AFTER - Duration::from_millis(1), 7), Ok(()), "a slow store is no broken one");
        let message = commits(Duration::from_secs(75), 7).unwrap_err();
        assert_eq!(message, "7 records of the log wait, and nothing was committed for 75 s; look at the store");
    }
}
