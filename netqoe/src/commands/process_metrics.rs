//! What `/metrics` of a server says of the process itself.

use std::collections::BTreeMap;
use std::env::consts::{ARCH, OS};

use netqoe_model::metrics::Metrics;
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

/// How long the threads of each name have been at work: the workers (`timely:work-0`), those that commit and find incidents, and
/// those that answer requests. What is missing to a second a second, a thread was idle.
struct ThreadTimes(CounterVec);

impl ThreadTimes {
    const NAME: &str = "telemetry_thread_busy_seconds_total";
    const HELP: &str = "Seconds of CPU time of the process's threads, by their name; those of one name together.";

    fn new() -> prometheus::Result<Self> {
        Ok(Self(CounterVec::new(Opts::new(Self::NAME, Self::HELP), &["thread"])?))
    }
}

impl Collector for ThreadTimes {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // The system counts. So this begins at zero each time.
        let Ok(Self(counted)) = Self::new() else { return Vec::new() };
        for (name, seconds) in by_name().unwrap_or_default() {
            counted.with_label_values(&[name]).inc_by(seconds);
        }
        counted.collect()
    }
}

fn by_name() -> procfs::ProcResult<BTreeMap<String, f64>> {
    let ticks_per_s = procfs::ticks_per_second() as f64;
    let mut times = BTreeMap::new();
    // A thread may end while this looks.
    for stat in procfs::process::Process::myself()?.tasks()?.flatten().filter_map(|task| task.stat().ok()) {
        *times.entry(stat.comm).or_default() += (stat.utime + stat.stime) as f64 / ticks_per_s;
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_a_thread_works_is_counted_under_its_name() {
        let working = std::thread::Builder::new().name("hard worker".to_owned()).spawn(|| {
            let busy = || by_name().unwrap().get("hard worker").copied().unwrap_or_default();
            while busy() < 0.05 {}
            let families = metrics().gather();
            let family = families.iter().find(|family| family.name() == ThreadTimes::NAME).unwrap();
            let is_its = |metric: &&prometheus::proto::Metric| metric.get_label()[0].value() == "hard worker";
            let counted = family.get_metric().iter().find(is_its).unwrap().get_counter().get_value();
            assert!((0.05..60.0).contains(&counted), "{counted}");
            assert!(families.iter().any(|family| family.name() == "process_open_fds"));
            assert!(families.iter().any(|family| family.name() == "netqoe_build_info"));
        });
        working.unwrap().join().unwrap();
    }
}
