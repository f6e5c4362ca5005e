//! What a process has used, as Linux tells it; unknown elsewhere.

/// Linux counts CPU time in hundredths of a second, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;
/// Of `/proc/PROCESS/stat`, counted behind the program's name.
const USER_TICKS_FIELD: usize = 11;

/// A process, by its name under `/proc`.
pub(super) struct Resources(String);

impl Resources {
    /// Of the process that asks.
    pub(super) fn own() -> Self {
        Self("self".to_owned())
    }

    /// Of another one, which runs.
    pub(super) fn of(process_id: u32) -> Self {
        Self(process_id.to_string())
    }

    /// CPU seconds of all threads, user and system.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        // The name is in parentheses and may hold anything.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
        Some((ticks(USER_TICKS_FIELD)? + ticks(USER_TICKS_FIELD + 1)?) / TICKS_PER_SECOND)
    }

    /// The most memory that was resident at once, in bytes.
    pub(super) fn peak_memory_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim();
        Some(kibibytes.parse::<u64>().ok()? * 1024)
    }
}
