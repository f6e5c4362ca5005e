//! What a running process has used, as Linux tells it.

use anyhow::Context;
use procfs::process::Process;

/// CPU seconds of all threads of this process, user and system.
pub(crate) fn cpu_seconds(process_id: u32) -> anyhow::Result<f64> {
    let stat = process(process_id)?.stat().context("can't tell the CPU time of a measured process")?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// The most memory of this process that was resident at once, in bytes.
pub(crate) fn peak_memory_bytes(process_id: u32) -> anyhow::Result<u64> {
    let status = process(process_id)?.status().context("can't tell the memory of a measured process")?;
    Ok(1024 * status.vmhwm.context("a measured process has ended")?)
}

fn process(process_id: u32) -> anyhow::Result<Process> {
    Process::new(i32::try_from(process_id)?).context("a measured process has ended")
}
