//! What this process has used, as Linux tells it; unknown elsewhere.

/// Linux counts CPU time in hundredths of a second, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;
/// Of `/proc/self/stat`, counted behind the program's name.
const USER_TICKS_FIELD: usize = 11;

/// CPU seconds of all threads, user and system.
pub(super) fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name is in parentheses and may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(USER_TICKS_FIELD)? + ticks(USER_TICKS_FIELD + 1)?) / TICKS_PER_SECOND)
}

/// The most memory that was resident at once, in bytes.
pub(super) fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim();
    Some(kibibytes.parse::<u64>().ok()? * 1024)
}
