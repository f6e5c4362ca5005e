//! What this process has used and may use, as Linux tells it.

use std::io;

use procfs::process::{LimitValue, Process};

/// CPU seconds of all threads, user and system.
pub(super) fn cpu_seconds() -> Option<f64> {
    let stat = Process::myself().and_then(|process| process.stat()).ok()?;
    Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// The most memory that was resident at once, in bytes.
pub(super) fn peak_memory_bytes() -> Option<u64> {
    Some(1024 * Process::myself().and_then(|process| process.status()).ok()?.vmhwm?)
}

/// The memory that is resident now, in bytes.
pub(super) fn resident_memory_bytes() -> io::Result<u64> {
    let statm = Process::myself().and_then(|process| process.statm()).map_err(io::Error::other)?;
    Ok(statm.resident * procfs::page_size())
}

/// How many files it may have open at once; none where that is not limited.
pub(super) fn max_open_files() -> Option<u64> {
    match Process::myself().and_then(|process| process.limits()).ok()?.max_open_files.soft_limit {
        LimitValue::Value(files) => Some(files),
        LimitValue::Unlimited => None,
    }
}
