//! Every number that decides what a row means, in one place.
//!
//! Decision: D-052.

mod diagnosis;
mod file;
mod fleet;

use serde::Serialize;

use crate::{EventTime, LogTime, WindowStart};
pub use diagnosis::{
    Centre, Condition, DiagnosisRules, ErrorRule, EvidenceRules, FailedSeverity, Figure, LatencyLevel, LatencySeverity,
    PhaseRule, SeverityRules, Spread, ThroughputLevel, ThroughputSeverity, UsualRules,
};
pub use file::{InvalidRules, ROWS_PER_STATE, RulesFile};
pub use fleet::FleetRules;

/// The rules by which events become rows. The defaults are the documented semantics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rules {
    /// Length of a window, in milliseconds.
    pub window_ms: i64,
    /// How long after its end a window still takes events, in milliseconds of log time.
    pub lateness_ms: i64,
    /// How long after its window's end an event that comes late still counts, by a correction, in milliseconds of log time; where it is
    /// no longer than the lateness, late events never count.
    #[serde(default)]
    pub correction_horizon_ms: i64,
    /// How far ahead of the log time an event may be, in milliseconds.
    pub max_future_ms: i64,
    /// Samples of a window that are kept exactly; beyond them a window is sketched.
    pub exact_samples: usize,
    /// When and how a window is diagnosed.
    pub diagnosis: DiagnosisRules,
    /// How incidents are found.
    pub fleet: FleetRules,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            window_ms: 60_000,
            lateness_ms: 120_000,
            correction_horizon_ms: 0,
            max_future_ms: 300_000,
            exact_samples: 512,
            diagnosis: DiagnosisRules::default(),
            fleet: FleetRules::default(),
        }
    }
}

impl Rules {
    /// The log time after which the window is closed: events of it that the log took later are late.
    pub fn closes_after(&self, start: WindowStart) -> LogTime {
        LogTime::from_ms(start.ms() + self.window_ms + self.lateness_ms)
    }

    /// Whether the window of an event that was measured then is closed when the log takes it.
    pub fn is_late(&self, ts: EventTime, log_time: LogTime) -> bool {
        log_time > self.closes_after(ts.window(self.window_ms))
    }

    /// Whether any event that comes late counts.
    pub fn has_corrections(&self) -> bool {
        self.correction_horizon_ms > self.lateness_ms
    }

    /// Whether an event that comes late counts all the same, by a correction.
    pub fn can_be_corrected(&self, ts: EventTime, log_time: LogTime) -> bool {
        let window_end_ms = ts.window(self.window_ms).ms() + self.window_ms;
        self.is_late(ts, log_time) && log_time.ms() - window_end_ms <= self.correction_horizon_ms
    }

    /// The earliest start that a window can have which is open at this log time.
    pub fn earliest_open(&self, log_time: LogTime) -> WindowStart {
        WindowStart::from_ms(log_time.ms() - self.lateness_ms - self.window_ms)
    }

    /// The first window that is open at this log time; those before it are final.
    pub fn first_open(&self, log_time: LogTime) -> WindowStart {
        let earliest_ms = self.earliest_open(log_time).ms();
        WindowStart::from_ms(earliest_ms + (-earliest_ms).rem_euclid(self.window_ms))
    }
}
