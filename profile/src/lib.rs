//! Where this process spends its CPU time, and who holds its memory, as profiles in pprof's format (a gzipped
//! `perftools.profiles.Profile`).
//!
//! This crate must not know who asks for a profile, nor what the process does.
//!
//! Decision: D-093.

mod cpu;
mod error;
#[cfg(feature = "heap")]
mod heap;

pub use cpu::{CpuProfiler, FREQUENCY_HZ, Sampling};
pub use error::ProfileError;
#[cfg(feature = "heap")]
pub use heap::{HeapProfiler, Jemalloc};
