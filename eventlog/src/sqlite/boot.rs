//! How long the machine has run: time that passes whatever the clock is set to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The machine's present run.
#[derive(Clone)]
pub struct Boot {
    /// Tells one run from another; none if the system does not say.
    pub id: Option<String>,
    /// How long it has lasted, the time in which the machine slept included.
    pub uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Boot {
    /// That of this machine.
    pub fn of_machine() -> Self {
        Self { id: boot_id(), uptime: Arc::new(uptime) }
    }
}

impl fmt::Debug for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boot").field("id", &self.id).finish_non_exhaustive()
    }
}

/// CLOCK_MONOTONIC stands still while the machine sleeps, and the clock would seem to jump.
#[cfg(target_os = "linux")]
fn uptime() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Boottime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

#[cfg(target_os = "linux")]
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Since the first call.
#[cfg(not(target_os = "linux"))]
fn uptime() -> Duration {
    static STARTED: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    STARTED.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<String> {
    None
}
