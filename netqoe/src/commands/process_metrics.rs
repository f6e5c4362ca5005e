//! What `/metrics` of a server says of the process itself.

use std::collections::BTreeMap;
use std::env::consts::{ARCH, OS};

use netqoe_model::metrics::Metrics;
use procfs::Current;
use prometheus::core::{Collector, Desc};
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{CounterVec, Opts};

/// All metrics at zero, with those of this build and this process under Prometheus's usual names (`process_…`).
pub(crate) fn metrics() -> Metrics {
    let metrics = Metrics::new();
    metrics.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), OS, ARCH]).set(1);
    metrics.include(ProcessCollector::for_self());
    if let Ok(threads) = ThreadTimes::new() {
        metrics.include(threads);
    }
    metrics
}

/// How long the threads of each name have been at work, and how long not: the workers (`timely:work-0`), those that commit and find
/// incidents, and those that answer requests.
struct ThreadTimes {
    busy: CounterVec,
    idle: CounterVec,
}

impl ThreadTimes {
    const BUSY: &str = "telemetry_thread_busy_seconds_total";
    const BUSY_HELP: &str = "Seconds of CPU time of the process's threads, by their name; those of one name together.";
    const IDLE: &str = "telemetry_thread_idle_seconds_total";
    const IDLE_HELP: &str =
        "Seconds for which the process's threads used no CPU, by their name; those of one name together.";

    fn new() -> prometheus::Result<Self> {
        let counter = |name, help| CounterVec::new(Opts::new(name, help), &["thread"]);
        Ok(Self { busy: counter(Self::BUSY, Self::BUSY_HELP)?, idle: counter(Self::IDLE, Self::IDLE_HELP)? })
    }
}

impl Collector for ThreadTimes {
    fn desc(&self) -> Vec<&Desc> {
        self.busy.desc().into_iter().chain(self.idle.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // The system counts. So this begins at zero each time.
        let Ok(Self { busy, idle }) = Self::new() else { return Vec::new() };
        for (name, times) in by_name().unwrap_or_default() {
            busy.with_label_values(&[&name]).inc_by(times.busy_s);
            idle.with_label_values(&[&name]).inc_by(times.idle_s);
        }
        busy.collect().into_iter().chain(idle.collect()).collect()
    }
}

/// Of all threads of one name.
#[derive(Default)]
struct Times {
    busy_s: f64,
    idle_s: f64,
}

fn by_name() -> procfs::ProcResult<BTreeMap<String, Times>> {
    let ticks_per_s = procfs::ticks_per_second() as f64;
    let uptime_s = procfs::Uptime::current()?.uptime;
    let mut by_name = BTreeMap::<_, Times>::new();
    // A thread may end while this looks.
    for stat in procfs::process::Process::myself()?.tasks()?.flatten().filter_map(|task| task.stat().ok()) {
        let busy_s = (stat.utime + stat.stime) as f64 / ticks_per_s;
        let age_s = uptime_s - stat.starttime as f64 / ticks_per_s;
        let times = by_name.entry(stat.comm).or_default();
        times.busy_s += busy_s;
        // The system counts in ticks: a thread that always works may seem to be older than it is.
        times.idle_s += (age_s - busy_s).max(0.0);
    }
    Ok(by_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_a_thread_works_is_counted_under_its_name() {
        let working = std::thread::Builder::new().name("hard worker".to_owned()).spawn(|| {
            let busy_s = || by_name().unwrap().get("hard worker").map_or(0.0, |times| times.busy_s);
            while busy_s() < 0.05 {}
            let before = (counted(ThreadTimes::BUSY), counted(ThreadTimes::IDLE));
            assert!((0.05..60.0).contains(&before.0), "{before:?}");
            std::thread::sleep(std::time::Duration::from_millis(200));
            let after = (counted(ThreadTimes::BUSY), counted(ThreadTimes::IDLE));
            // It worked for the time of a look or two. The system counts in hundredths.
            assert!(after.1 - before.1 > 0.1 && after.0 >= before.0, "{before:?}, {after:?}");
        });
        working.unwrap().join().unwrap();
        let families = metrics().gather();
        assert!(families.iter().any(|family| family.name() == "process_open_fds"));
        assert!(families.iter().any(|family| family.name() == "netqoe_build_info"));
    }

    fn counted(name: &str) -> f64 {
        let families = metrics().gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let is_its = |metric: &&prometheus::proto::Metric| metric.get_label()[0].value() == "hard worker";
        family.get_metric().iter().find(is_its).unwrap().get_counter().get_value()
    }
}
