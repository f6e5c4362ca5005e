//! A profile of a program that holds memory.

use netqoe_profile::{HeapProfiler, Jemalloc};
use netqoe_testbed::PprofProfile;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Much more than lies between two samples.
const HELD_BYTES: usize = 64 << 20;
const PIECE_BYTES: usize = 64 << 10;

#[inline(never)]
fn hold_for_the_profile() -> Vec<Vec<u8>> {
    (0..HELD_BYTES / PIECE_BYTES).map(|_| vec![1; PIECE_BYTES]).collect()
}

#[test]
fn who_holds_memory_is_found_and_who_has_freed_it_is_not() {
    let profiler = HeapProfiler::new().unwrap();
    let held = hold_for_the_profile();
    let profile = PprofProfile::read(&profiler.take().unwrap()).unwrap();
    assert_eq!(profile.sample_types, [("inuse_space".to_owned(), "bytes".to_owned())]);
    let (bytes, exactly) = (profile.of_function("hold_for_the_profile"), HELD_BYTES as i64);
    assert!((exactly / 2..exactly * 2).contains(&bytes), "{bytes} of {exactly}: {:?}", profile.by_function);

    drop(held);
    let profile = PprofProfile::read(&profiler.take().unwrap()).unwrap();
    assert_eq!(profile.of_function("hold_for_the_profile"), 0);
}
