//! A profile of a thread that only computes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netqoe_profile::CpuProfiler;
use netqoe_testbed::PprofProfile;

/// CPU time that is waited for.
const WORK: Duration = Duration::from_millis(500);

#[inline(never)]
fn compute_for_the_profile(count: &AtomicU64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_busy_function_is_found_with_its_thread_and_its_time() {
    let profiler = CpuProfiler::new().unwrap();
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let busy = std::thread::Builder::new().name("hard worker".to_owned()).spawn({
        let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
        move || compute_for_the_profile(&count, &stop)
    });
    let sampling = profiler.start().unwrap();
    assert!(profiler.start().is_err(), "one at a time");
    let (started, used, busy) = (Instant::now(), cpu_time(), busy.unwrap());
    while cpu_time() < used + WORK {
        assert!(started.elapsed() < Duration::from_secs(120), "no CPU time");
        std::thread::sleep(Duration::from_millis(20));
    }
    let profile = PprofProfile::read(&sampling.finish().unwrap()).unwrap();
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();

    assert_eq!(profile.sample_types, [("cpu".to_owned(), "nanoseconds".to_owned())]);
    assert!(profile.labels.contains("hard worker"), "{:?}", profile.labels);
    let (of_function, total) = (profile.of_function("compute_for_the_profile"), profile.total);
    assert!(of_function * 10 >= total * 9, "{of_function} of {total} ns: {:?}", profile.by_function);
    // The kernel counts in ticks of its own, 4 ms as a rule.
    let expected_ns = WORK.as_nanos() as i64;
    assert!((expected_ns / 2..expected_ns * 20).contains(&total), "{total}");
    assert!(profile.mappings.iter().any(|(file, build_id)| file.ends_with("it") || !build_id.is_empty()));

    let again = profiler.start().unwrap();
    drop(again);
    assert!(profiler.start().is_ok(), "one that was given up is in nobody's way");
}

/// That this process has used so far.
fn cpu_time() -> Duration {
    let used = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap().user_time();
    Duration::from_micros(used.tv_sec() as u64 * 1_000_000 + used.tv_usec() as u64)
}
