//! Every metric of netqoe's servers, declared in one place. No label carries a client or a target.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

/// Buckets for what should take well under a second, in seconds.
const LATENCY_BUCKETS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// What bounds pairs of client and target at ingest: the labels of `telemetry_ingest_pairs_refused_total`.
pub const PAIR_LIMITS: [&str; 3] = ["client", "all", "memory"];

/// Something that a registry can hold: made from its name, its help text and its label names.
trait Declared: Clone + Collector + 'static {
    fn declare(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self>;
}

macro_rules! declared {
    ($($metric:ty, |$name:ident, $help:ident, $labels:pat_param| $make:expr;)*) => {
        $(impl Declared for $metric {
            fn declare($name: &str, $help: &str, $labels: &[&str]) -> prometheus::Result<Self> { $make }
        })*
    };
}

declared! {
    IntCounter, |name, help, _| Self::new(name, help);
    IntGauge, |name, help, _| Self::new(name, help);
    Gauge, |name, help, _| Self::new(name, help);
    GaugeVec, |name, help, labels| Self::new(Opts::new(name, help), labels);
    Histogram, |name, help, _| Self::with_opts(HistogramOpts::new(name, help).buckets(LATENCY_BUCKETS_S.to_vec()));
    IntCounterVec, |name, help, labels| Self::new(Opts::new(name, help), labels);
    IntGaugeVec, |name, help, labels| Self::new(Opts::new(name, help), labels);
    HistogramVec, |name, help, labels| Self::new(HistogramOpts::new(name, help).buckets(LATENCY_BUCKETS_S.to_vec()), labels);
}

/// All metrics of a process. Clones count into the same registry, and cost one count: each request makes several.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Handles>);

impl Deref for Metrics {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.0
    }
}

macro_rules! metrics {
    ($($field:ident: $kind:ty = $name:literal $([$($label:literal),*])?, $help:literal;)*) => {
        /// A handle on each metric.
        #[derive(Debug)]
        pub struct Handles {
            registry: Registry,
            states: States,
            $(#[doc = concat!("`", $name, "`: ", $help)] pub $field: $kind,)*
        }

        impl Metrics {
            /// The names of all metrics.
            pub const NAMES: &[&str] = &[$($name),*];

            fn register() -> prometheus::Result<Self> {
                let registry = Registry::new();
                $(
                    let $field = <$kind as Declared>::declare($name, $help, &[$($($label),*)?])?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Self(Arc::new(Handles { registry, states: States::default(), $($field),* })))
            }
        }
    };
}

metrics! {
    build_info: IntGaugeVec = "netqoe_build_info" ["version", "os", "arch"], "Always 1; the labels say which netqoe this is, and what it was built for.";
    ingest_requests: IntCounterVec = "telemetry_ingest_requests_total" ["status"], "Requests to ingest, by HTTP status.";
    ingest_errors: IntCounter = "telemetry_ingest_errors_total", "Requests to ingest that were answered with a 4xx or 5xx status.";
    ingest_duration: Histogram = "telemetry_ingest_duration_seconds", "Seconds from a request's head to its answer.";
    ingest_rate_limited: IntCounter = "telemetry_ingest_rate_limited_total", "Events refused because their client was above its rate.";
    ingest_refused: IntCounterVec = "telemetry_ingest_refused_total" ["reason"], "Events that ingest has refused, by the code of the refusal. A request in which no events were found counts as one.";
    ingest_pairs: IntGauge = "telemetry_ingest_pairs", "Pairs of client and target that ingest accepts events of.";
    ingest_pairs_refused: IntCounterVec = "telemetry_ingest_pairs_refused_total" ["limit"], "Events refused because their pair of client and target would exceed a limit, by limit: client, all (pairs), memory.";
    ingest_pairs_forgotten: IntCounter = "telemetry_ingest_pairs_forgotten_total", "Pairs that were forgotten because they had no event for as long as their past is kept.";
    ingest_instances: IntGauge = "telemetry_ingest_instances", "Instances of ingest that hold the rates of clients together and were heard in the last three seconds, this one included; 0 if rates are not shared.";
    ingest_auth_failures: IntCounter = "telemetry_ingest_auth_failures_total", "Requests with a missing or wrong token.";
    auth_refusals: IntCounterVec = "telemetry_auth_refusals_total" ["reason"], "Requests refused because of their token, by reason: missing, malformed, unknown, bound (to clients, but used for reading), too_many.";
    queue_published: IntCounter = "telemetry_queue_published_total", "Events that the log has stored durably.";
    log_damaged_records: IntGauge = "telemetry_log_damaged_records", "Damaged records of the embedded log that were read since the start.";
    queue_consumer_lag: IntGauge = "telemetry_queue_consumer_lag_messages", "Log records that are not yet reflected in committed rows.";
    partition_lag: IntGaugeVec = "telemetry_partition_lag_messages" ["partition"], "Log records of a partition that are not yet reflected in committed rows, where the log counts them by partition.";
    log_clock_ahead: Gauge = "telemetry_log_clock_ahead_seconds", "Seconds by which the log's time is ahead of this machine's clock; 0 if it is not. Above the lateness, every event is late.";
    events_unbalanced: IntGauge = "telemetry_events_unbalanced", "Events that were read and have no outcome, or have more than one, in the partitions of this process; 0 unless netqoe has a fault.";
    queue_ack_pending: IntGauge = "telemetry_queue_ack_pending_messages", "Messages that the durable consumer has received but not acknowledged.";
    stream_messages: IntGauge = "nats_jetstream_stream_messages", "Messages that the log's stream holds.";
    consumer_pending: IntGauge = "nats_jetstream_consumer_num_pending", "Messages that the durable consumer has not received.";
    consumer_ack_floor: IntGauge = "nats_jetstream_consumer_ack_floor", "Sequence up to which all messages of the stream are acknowledged.";
    events_processed: IntCounterVec = "telemetry_events_processed_total" ["status"], "Processed events, by outcome: success, duplicate, late, error.";
    processing_delay: Histogram = "telemetry_processing_delay_seconds", "Seconds from log time to durable row, for the oldest record of each partition's commit.";
    windows_flushed: IntCounter = "telemetry_windows_flushed_total", "Final rows written to the store.";
    dead_letters: IntCounter = "telemetry_dlq_messages_total", "Lines set aside because they could not be counted.";
    open_windows: IntGaugeVec = "telemetry_open_windows" ["worker"], "Windows that can still change.";
    tracked_keys: IntGaugeVec = "telemetry_tracked_keys" ["worker"], "Pairs of client and target in memory.";
    pairs_evicted: IntCounterVec = "telemetry_pairs_evicted_total" ["reason"], "Pairs of client and target that were given up where events are counted, by reason: idle, no later window can reach their past.";
    frontier_lag: GaugeVec = "telemetry_frontier_lag_seconds" ["worker"], "Seconds by which committed rows are behind the log: the age of the oldest record that was read but not committed; 0 if there is none.";
    pairs: IntGaugeVec = "telemetry_pairs" ["state"], "Pairs of client and target by how they stand: degraded, healthy, unjudged, unmeasured. Shown by the process that finds incidents.";
    incidents_open: IntGaugeVec = "telemetry_incidents_open" ["label", "severity"], "Open incidents, by label and severity. Shown by the process that finds incidents.";
    incident_unacknowledged: IntGauge = "telemetry_incident_oldest_unacknowledged_seconds", "Seconds since the oldest open incident was first told that nobody has acknowledged; 0 if there is none.";
    incidents_lag: IntGauge = "telemetry_incidents_lag_seconds", "Seconds of log time by which incidents are behind committed rows; 0 if they reflect all whole windows.";
    incidents_delay: Histogram = "telemetry_incidents_delay_seconds", "Seconds from the commit in which a partition passed a look to the commit of the incidents that reflect it.";
    corrections_waiting: IntGauge = "telemetry_corrections_waiting_pairs", "Pairs of client and target with events that came late and that no row reflects yet.";
    corrections_given_up: IntCounter = "telemetry_corrections_given_up_pairs_total", "Pairs whose late events can't be counted any more, since the log has discarded what their windows would be computed from.";
    corrected_events: IntCounterVec = "telemetry_corrections_events_total" ["status"], "Events that came late and were counted by a correction (success), or were copies of counted ones (duplicate).";
    corrected_rows: IntCounter = "telemetry_corrections_rows_total", "Final rows that corrections have written.";
    corrections_duration: Histogram = "telemetry_corrections_duration_seconds", "Seconds that a correction of some pairs of a partition took.";
    corrections_hold: Histogram = "telemetry_corrections_hold_seconds", "Seconds that a partition was held for the last step of a correction.";
    incidents_refold: Histogram = "telemetry_incidents_refold_seconds", "Seconds that it took to find incidents again after corrections, portions together.";
    incidents_uncorrected: IntCounter = "telemetry_incidents_uncorrected_total", "Times that corrections reached further back than what is kept of the fleet, so that incidents before it were not corrected.";
    certificates_expiring: IntGauge = "telemetry_certificates_expiring", "Targets whose certificate expires within 14 days or has expired, as the newest measurements in the log tell.";
    live_readers_dropped: IntCounter = "telemetry_live_readers_dropped_total", "Live readers dropped for being too slow.";
    db_connections_in_use: IntGauge = "telemetry_db_connections_in_use", "Store connections in use.";
    db_connections_max: IntGauge = "telemetry_db_connections_max", "Maximum number of store connections.";
    db_query_duration: HistogramVec = "telemetry_db_query_duration_seconds" ["operation"], "Seconds that store operations take, by operation.";
    db_rows_written: IntCounter = "telemetry_db_rows_written_total", "Rows written to the store, including provisional ones.";
    notify_sent: IntCounterVec = "telemetry_notify_messages_sent_total" ["kind"], "Notifications that a receiver has taken, by its kind: webhook, slack, alertmanager, email.";
    notify_failed: IntCounterVec = "telemetry_notify_deliveries_failed_total" ["kind"], "Deliveries of notifications that failed and are tried again, by the kind of receiver.";
    notify_given_up: IntCounterVec = "telemetry_notify_messages_given_up_total" ["kind"], "Notifications given up after a day of attempts, by the kind of receiver; removed: it is configured no more.";
    notify_left_off: IntCounter = "telemetry_notify_messages_left_off_total", "Notifications that were not kept because too many wait for their receiver.";
    notify_waiting: IntGaugeVec = "telemetry_notify_messages_waiting" ["kind"], "Notifications that wait for their receiver, by its kind.";
    db_transactions: IntCounterVec = "telemetry_db_transactions_total" ["status"], "Store transactions, by outcome: committed, failed.";
    trace_spans_exported: IntCounter = "telemetry_trace_spans_exported_total", "Spans that the collector has taken.";
    trace_spans_dropped: IntCounterVec = "telemetry_trace_spans_dropped_total" ["reason"], "Spans that did not reach the collector, by reason: queue_full, undelivered, refused.";
}

impl Metrics {
    /// All metrics at zero, in a registry of their own.
    pub fn new() -> Self {
        // The names above are fixed and distinct; `declares_every_metric_once` would fail otherwise.
        #[allow(clippy::expect_used)]
        Self::register().expect("metric names are valid and distinct")
    }

    /// Shows what another collector collects, as the metrics of the process. False if one of its names is taken.
    pub fn include(&self, collector: impl Collector + 'static) -> bool {
        self.registry.register(Box::new(collector)).is_ok()
    }

    /// Calls `show` before each [`Metrics::gather`], to set gauges that are computed, not counted.
    pub fn on_gather(&self, show: impl Fn(&Self) + Send + Sync + 'static) {
        self.states.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(show));
    }

    /// Every metric as it stands now, which is what `/metrics` shows.
    pub fn gather(&self) -> Vec<MetricFamily> {
        let states = self.states.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        states.iter().for_each(|show| show(self));
        self.registry.gather()
    }
}

/// What sets gauges just before they are looked at.
#[derive(Default)]
struct States(RwLock<Vec<Show>>);

type Show = Arc<dyn Fn(&Metrics) + Send + Sync>;

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("States")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declares_every_metric_once() {
        Metrics::register().unwrap();
    }

    #[test]
    fn shows_a_state_as_it_is_at_each_look() {
        let metrics = Metrics::new();
        let records = Arc::new(std::sync::atomic::AtomicI64::new(0));
        let shown = Arc::clone(&records);
        metrics.on_gather(move |metrics| {
            metrics.queue_consumer_lag.set(shown.load(std::sync::atomic::Ordering::Relaxed));
        });
        for lag in [7, 0] {
            records.store(lag, std::sync::atomic::Ordering::Relaxed);
            let families = metrics.clone().gather();
            let family = families.iter().find(|family| family.name() == "telemetry_queue_consumer_lag_messages");
            assert_eq!(family.unwrap().get_metric()[0].get_gauge().get_value(), lag as f64);
        }
    }
}
