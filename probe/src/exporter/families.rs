//! Metrics in the shape in which Prometheus's text is written.

use std::collections::BTreeMap;

use netqoe_model::ErrorStage;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use super::gauges::{GAUGES, Values};
use crate::agent::Observed;
use crate::{Measurement, Observations, ReportCounts};

/// Name, help and value of what is counted for each target.
type Count = (&'static str, &'static str, fn(&Observed) -> u64);

const COUNTS: [Count; 2] = [
    ("telemetry_probe_measurements_total", "Measurements, failed ones included.", |observed| observed.measurements),
    (
        "telemetry_probe_skipped_turns_total",
        "Turns skipped because the measurement before them took longer than the interval.",
        |observed| observed.skipped_turns,
    ),
];
const FAILURES: (&str, &str) = ("telemetry_probe_failures_total", "Measurements that failed, by stage.");
const MEASURED_AT: (&str, &str) =
    ("telemetry_probe_measured_timestamp_seconds", "Unix time at which the latest measurement began.");

/// Name, type, help and value of a figure of the spool.
type SpoolFigure = (&'static str, MetricType, &'static str, fn(&ReportCounts) -> u64);

#[rustfmt::skip]
const SPOOL: [SpoolFigure; 6] = [
    ("telemetry_probe_spool_events", MetricType::GAUGE, "Events that wait to be sent.", |counts| counts.waiting),
    ("telemetry_probe_spool_bytes", MetricType::GAUGE, "Bytes of the events that wait to be sent.", |counts| counts.waiting_bytes),
    ("telemetry_probe_spool_untimely_events", MetricType::GAUGE, "Events that wait because a clock does not accept their time yet.", |counts| counts.untimely),
    ("telemetry_probe_spool_sent_total", MetricType::COUNTER, "Events that the endpoint has accepted.", |counts| counts.sent),
    ("telemetry_probe_spool_set_aside_total", MetricType::COUNTER, "Events that the endpoint has refused for good.", |counts| counts.set_aside),
    ("telemetry_probe_spool_failures_total", MetricType::COUNTER, "Failed attempts to send events.", |counts| counts.failed_tries),
];
const DROPPED: (&str, &str) = (
    "telemetry_probe_spool_dropped_total",
    "Events dropped without being sent, because they had waited too long (age) or the spool was full (bytes).",
);

/// The metrics of one measurement.
pub(super) fn of_one(measurement: &Measurement) -> Vec<MetricFamily> {
    let mut families = Families::default();
    families.measurement(None, measurement);
    families.finish()
}

/// The latest measurement of each target and its counts, labelled by target; and what the spool counts, if there is one.
pub(super) fn of_all(observations: &Observations, spool: Option<ReportCounts>) -> Vec<MetricFamily> {
    let mut families = Families::default();
    observations.look(|target, observed| {
        if let Some((measurement, ts)) = &observed.latest {
            families.measurement(Some(target), measurement);
            let seconds = ts.ms() as f64 / 1000.0;
            families.add(MEASURED_AT, MetricType::GAUGE, &[("target", target)], seconds);
        }
        for (name, help, count) in COUNTS {
            families.add((name, help), MetricType::COUNTER, &[("target", target)], count(observed) as f64);
        }
        for (stage, failures) in ErrorStage::ALL.iter().zip(observed.failures) {
            let labels = [("stage", stage.as_str()), ("target", target)];
            families.add(FAILURES, MetricType::COUNTER, &labels, failures as f64);
        }
    });
    if let Some(counts) = spool {
        families.spool(&counts);
    }
    families.finish()
}

/// By name: each has its help and its type once, whatever it is gathered from.
#[derive(Default)]
struct Families(BTreeMap<&'static str, MetricFamily>);

impl Families {
    fn measurement(&mut self, target: Option<&str>, measurement: &Measurement) {
        let target = target.map(|target| ("target", target));
        for gauge in &GAUGES {
            let declared = (gauge.name, gauge.help);
            match gauge.values {
                Values::One(value) => {
                    if let Some(value) = value(measurement) {
                        self.add(declared, MetricType::GAUGE, target.as_slice(), value);
                    }
                }
                Values::Each(label, values) => {
                    for (named, value) in values(measurement) {
                        let labels: Vec<_> = [(label, named.as_str())].into_iter().chain(target).collect();
                        self.add(declared, MetricType::GAUGE, &labels, value);
                    }
                }
            }
        }
    }

    fn spool(&mut self, counts: &ReportCounts) {
        for (name, kind, help, figure) in SPOOL {
            self.add((name, help), kind, &[], figure(counts) as f64);
        }
        for (reason, events) in [("age", counts.too_old), ("bytes", counts.too_many)] {
            self.add(DROPPED, MetricType::COUNTER, &[("reason", reason)], events as f64);
        }
    }

    fn add(&mut self, (name, help): (&'static str, &str), kind: MetricType, labels: &[(&str, &str)], value: f64) {
        let family = self.0.entry(name).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(help.to_owned());
            family.set_field_type(kind);
            family
        });
        let mut metric = Metric::from_label(labels.iter().map(|(name, value)| pair(name, value)).collect());
        match kind {
            MetricType::COUNTER => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            _ => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        family.mut_metric().push(metric);
    }

    fn finish(self) -> Vec<MetricFamily> {
        self.0.into_values().collect()
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
