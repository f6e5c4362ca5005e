//! Samples of the stacks of all threads, taken while the process uses CPU time.

use nix::sys::signal::{Signal, raise};
use pprof::{ProfilerGuard, UnresolvedReport};
use pprof_util::{StackProfile, WeightedStack};

use crate::ProfileError;

/// Samples for each second of CPU time, of all threads together. No round number, so that nothing periodic is always or never seen.
pub const FREQUENCY_HZ: i32 = 99;
/// For one sample that is taken before any other.
const SELDOM_HZ: i32 = 1;
const NANOSECONDS_A_SECOND: f64 = 1e9;

/// What a sample is labelled with.
const LABEL: &str = "thread";
const CPU_TIME: (&str, &str) = ("cpu", "nanoseconds");

/// Takes profiles of the CPU.
#[derive(Debug)]
pub struct CpuProfiler(());

impl CpuProfiler {
    /// Prepares the process for its profiles: reads how the stacks of its code are unwound.
    ///
    /// pprof does so in the handler of the first signal, where it allocates. If that signal interrupted an allocation, the heap could be
    /// damaged. So the first signal is our own, to this thread, which allocates nothing in that moment.
    ///
    /// # Errors
    /// [`ProfileError`] if the system refuses.
    pub fn new() -> Result<Self, ProfileError> {
        let _first = ProfilerGuard::new(SELDOM_HZ)?;
        raise(Signal::SIGPROF)?;
        Ok(Self(()))
    }

    /// Begins to take samples.
    ///
    /// # Errors
    /// [`ProfileError`] if samples are being taken already, or the system refuses.
    pub fn start(&self) -> Result<Sampling, ProfileError> {
        Ok(Sampling(ProfilerGuard::new(FREQUENCY_HZ)?))
    }
}

/// Samples that are being taken, until this is dropped.
pub struct Sampling(ProfilerGuard<'static>);

impl Sampling {
    /// Ends, and makes a profile of the samples. Looking up the names of functions may take seconds.
    ///
    /// # Errors
    /// [`ProfileError`] if the samples can't be read.
    pub fn finish(self) -> Result<Vec<u8>, ProfileError> {
        let samples = self.0.report().build_unresolved()?;
        drop(self);
        Ok(stacks(&samples).to_pprof(CPU_TIME, CPU_TIME, Some(LABEL.to_owned())))
    }
}

fn stacks(samples: &UnresolvedReport) -> StackProfile {
    let mappings = mappings::MAPPINGS.as_deref().unwrap_or_default().to_vec();
    let mut profile = StackProfile { mappings, ..StackProfile::default() };
    for (sampled, count) in &samples.data {
        let addresses: Vec<usize> = sampled.frames.iter().map(|frame| frame.ip).collect();
        let name = &sampled.thread_name[..sampled.thread_name_length.min(sampled.thread_name.len())];
        let weight = *count as f64 * NANOSECONDS_A_SECOND / f64::from(FREQUENCY_HZ);
        let stack = WeightedStack { addrs: from_the_root(&addresses), weight };
        profile.push_stack(stack, Some(&String::from_utf8_lossy(name)));
    }
    profile
}

/// The order and the meaning that `pprof_util` expects: the root first, and of each frame the address after the call. The
/// innermost frame called nothing, and has the address that was executed.
fn from_the_root(addresses: &[usize]) -> Vec<usize> {
    let after_call = addresses.iter().enumerate().map(|(depth, address)| address + usize::from(depth == 0));
    let mut addresses: Vec<usize> = after_call.filter(|address| *address > 0).collect();
    addresses.reverse();
    addresses
}
