//! Why there is no profile.

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The system, or another profile, is in the way.
    #[error("can't profile the CPU: {0}")]
    Cpu(#[from] pprof::Error),
    /// The system does not deliver the signal that takes samples.
    #[error("can't profile the CPU: SIGPROF does not come: {0}")]
    Signal(#[from] nix::Error),
    /// jemalloc was built, or started, without its profiler.
    #[cfg(feature = "heap")]
    #[error("jemalloc's profiler is off; start netqoe with _RJEM_MALLOC_CONF=prof:true")]
    HeapOff,
    /// Another profile is being taken.
    #[cfg(feature = "heap")]
    #[error("another profile of the heap is being taken; ask again")]
    HeapBusy,
    /// jemalloc refused.
    #[cfg(feature = "heap")]
    #[error(
        "can't profile the heap: {0}; it is written into a temporary file first, so TMPDIR must name a folder that can be written to"
    )]
    Heap(String),
}
