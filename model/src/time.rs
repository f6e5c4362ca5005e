//! The three kinds of time in the system, each its own type so that they can't be confused.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Times are positive and lie before the year 10000: the first millisecond that is refused.
pub const MAX_TIME_MS: i64 = 253_402_300_800_000;

macro_rules! unix_milliseconds {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// From Unix milliseconds.
            pub const fn from_ms(ms: i64) -> Self {
                Self(ms)
            }

            /// Unix milliseconds.
            pub const fn ms(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unix_milliseconds! {
    /// When a probe measured, by the probe's own clock (`ts_ms`), in Unix milliseconds.
    EventTime
}
unix_milliseconds! {
    /// When the log took a record, in Unix milliseconds. It never falls within a partition, and it is the only
    /// clock that decides what is late and which windows are closed.
    LogTime
}
unix_milliseconds! {
    /// The first millisecond of a window, a whole multiple of the window length since the Unix epoch.
    WindowStart
}

impl EventTime {
    /// An event time, where `ms` is positive and before the year 10000.
    pub fn checked(ms: i64) -> Option<Self> {
        (0 < ms && ms < MAX_TIME_MS).then_some(Self(ms))
    }

    /// The window that holds this time.
    pub fn window(self, window_ms: i64) -> WindowStart {
        WindowStart(self.0.div_euclid(window_ms) * window_ms)
    }
}
