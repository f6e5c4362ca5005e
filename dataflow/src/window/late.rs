//! Events that came after their window was closed: counted by minute of the log, with the last of each minute.

use netqoe_model::{EventTime, LogTime};

use crate::event_batch::EventRef;

const MINUTE_MS: i64 = 60_000;
/// Minutes of one turn that are told apart: a day of the log, more than a turn of a running pipeline reads.
const MAX_MINUTES: usize = 1_440;

/// The late events of one minute of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateEvents {
    /// How many there were.
    pub count: u64,
    /// When the log took the last of them.
    pub log_time: LogTime,
    /// When that was measured.
    pub ts: EventTime,
    /// Its client and target, with U+0000 between them.
    pair: String,
    client_bytes: usize,
}

impl LateEvents {
    /// Who measured the last of them.
    pub fn client_id(&self) -> &str {
        &self.pair[..self.client_bytes]
    }

    /// What it measured.
    pub fn target(&self) -> &str {
        &self.pair[self.client_bytes + 1..]
    }

    /// Adds an event that a partition has found to be late, at its log time, to those before it. Of too many minutes, the first
    /// are left out.
    pub(super) fn add(minutes: &mut Vec<Self>, event: EventRef<'_>, log_time: LogTime) {
        let minute = |time: LogTime| time.ms().div_euclid(MINUTE_MS);
        match minutes.last_mut().filter(|last| minute(last.log_time) == minute(log_time)) {
            Some(last) => {
                // Where all that comes is late, memory is not asked for each time.
                last.pair.clear();
                last.pair.push_str(event.pair);
                (last.count, last.log_time, last.ts) = (last.count + 1, log_time, event.ts);
                last.client_bytes = event.client_bytes;
            }
            None => {
                if minutes.len() == MAX_MINUTES {
                    minutes.remove(0);
                }
                let (pair, client_bytes) = (event.pair.to_owned(), event.client_bytes);
                minutes.push(Self { count: 1, log_time, ts: event.ts, pair, client_bytes });
            }
        }
    }
}
