//! Profiles of this very program, read back. Its allocator is jemalloc, whatever netqoe's is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "everything here is part of a test")]

mod cpu;
#[cfg(feature = "heap")]
mod heap;
