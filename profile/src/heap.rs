//! Who has allocated what is in use, by samples that jemalloc takes.

use jemalloc_pprof::PROF_CTL;
/// The allocator whose profiles these are: it must be the program's.
pub use tikv_jemallocator::Jemalloc;

use crate::ProfileError;

/// Takes profiles of the heap.
#[derive(Debug)]
pub struct HeapProfiler(());

impl HeapProfiler {
    /// From now on, jemalloc samples allocations, one in 512 KiB on average. What was allocated before is in no profile.
    ///
    /// # Errors
    /// [`ProfileError`] if jemalloc can't profile.
    pub fn new() -> Result<Self, ProfileError> {
        let jemalloc = PROF_CTL.as_ref().ok_or(ProfileError::HeapOff)?;
        let mut jemalloc = jemalloc.try_lock().map_err(|_| ProfileError::HeapBusy)?;
        jemalloc.activate().map_err(|error| ProfileError::Heap(error.to_string()))?;
        Ok(Self(()))
    }

    /// A profile of what is in use now. Looking up the names of functions may take seconds.
    ///
    /// # Errors
    /// [`ProfileError`] if another one is being taken, or jemalloc can't write it.
    pub fn take(&self) -> Result<Vec<u8>, ProfileError> {
        let jemalloc = PROF_CTL.as_ref().ok_or(ProfileError::HeapOff)?;
        let mut jemalloc = jemalloc.try_lock().map_err(|_| ProfileError::HeapBusy)?;
        jemalloc.dump_pprof().map_err(|error| ProfileError::Heap(format!("{error:#}")))
    }
}
