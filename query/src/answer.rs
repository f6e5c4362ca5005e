//! The JSON of the query API. Columns have the names that they have in the store.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use netqoe_model::{
    AggregateRow, Diagnosis, ErrorStage, Label, Metric, Network, PairTags, Run, Severity, Side, UsualRange, WindowRow,
    WindowStart, from_thousandths,
};
use netqoe_sinks::read::{AggregateRecord, ClientRecord, DiagnosisRecord, FindingRecord, ReadError, TargetRecord};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::schema;

/// Some of what was asked for, in order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null where there is none.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// The labels of a client or of a target: values by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Those of one side of a pair.
    pub(crate) fn of(tags: Option<&PairTags>, side: Side) -> Self {
        let members = tags.map(|tags| tags.side(side).iter()).into_iter().flatten();
        Self(members.map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }
}

/// A row of `agg_1m`: its columns, with times in Unix milliseconds, latencies in ms and throughputs in Mbit/s.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AggregateItem {
    #[serde(flatten)]
    row: RowItem,
    /// How often it was corrected since it is final: written again because of measurements that came late. `as_of` is the log time of
    /// the last correction then.
    revision: u32,
    /// When it was written.
    updated_at: i64,
}

impl From<AggregateRecord> for AggregateItem {
    fn from(record: AggregateRecord) -> Self {
        let AggregateRecord { client_id, target, window, diagnosis_label, revision, updated_at_ms, .. } = record;
        Self { row: RowItem::of(client_id, target, &window, diagnosis_label), revision, updated_at: updated_at_ms }
    }
}

/// A row that was just written, with the evidence of its diagnosis, and the runs of which it tells that they are over.
pub(crate) fn live_row(written: &AggregateRow) -> Value {
    let label = written.diagnosis.as_ref().map(|diagnosis| diagnosis.label);
    let row = RowItem::of(written.client_id.to_string(), written.target.to_string(), &written.window, label);
    let mut row = json!(row);
    row["diagnosis"] = written.diagnosis.as_ref().map_or(Value::Null, finding);
    if !written.ended_runs.is_empty() {
        row["ended_runs"] = written.ended_runs.iter().map(ended_run).collect();
    }
    row
}

fn ended_run(Run { label, since, until }: &Run) -> Value {
    json!({ "label": label, "since": since.ms(), "until": until.ms() })
}

/// What a window of a pair shows: the columns that every row has. Percentiles are null where nothing was measured.
#[derive(Debug, Serialize, ToSchema)]
struct RowItem {
    client_id: String,
    target: String,
    window_start_ts: i64,
    count_total: u32,
    count_success: u32,
    count_error: u32,
    dns_error_count: u32,
    tcp_error_count: u32,
    tls_error_count: u32,
    http_error_count: u32,
    throughput_error_count: u32,
    #[schema(required)]
    dns_p50: Option<f64>,
    #[schema(required)]
    dns_p95: Option<f64>,
    #[schema(required)]
    tcp_p50: Option<f64>,
    #[schema(required)]
    tcp_p95: Option<f64>,
    #[schema(required)]
    tls_p50: Option<f64>,
    #[schema(required)]
    tls_p95: Option<f64>,
    #[schema(required)]
    ttfb_p50: Option<f64>,
    #[schema(required)]
    ttfb_p95: Option<f64>,
    #[schema(required)]
    throughput_p50: Option<f64>,
    #[schema(required)]
    throughput_p95: Option<f64>,
    /// Null where there is no baseline yet.
    #[schema(required, value_type = Option<schema::Label>)]
    diagnosis_label: Option<Label>,
    is_final: bool,
    /// The log time that it reflects.
    as_of: i64,
    /// Of the network that it was measured over, as the newest of its events says that names one; null if unknown.
    #[schema(required)]
    network_type: Option<String>,
    #[schema(required)]
    isp: Option<String>,
    #[schema(required)]
    site: Option<String>,
    /// The labels of the client, as the newest of its events says that carries any; empty if there are none.
    client_labels: Labels,
    /// The same of the target.
    target_labels: Labels,
}

impl RowItem {
    fn of(client_id: String, target: String, window: &WindowRow, label: Option<Label>) -> Self {
        let p50 = |metric| window.of(metric).map(|both| from_thousandths(both.p50));
        let p95 = |metric| window.of(metric).map(|both| from_thousandths(both.p95));
        let names = window.network.as_deref().map_or([None; 3], Network::names);
        let [network_type, isp, site] = names.map(|name| name.map(str::to_owned));
        Self {
            client_id,
            target,
            window_start_ts: window.start.ms(),
            count_total: window.count_total(),
            count_success: window.count_success,
            count_error: window.count_error(),
            dns_error_count: window.errors_at(ErrorStage::Dns),
            tcp_error_count: window.errors_at(ErrorStage::Tcp),
            tls_error_count: window.errors_at(ErrorStage::Tls),
            http_error_count: window.errors_at(ErrorStage::Http),
            throughput_error_count: window.errors_at(ErrorStage::Throughput),
            dns_p50: p50(Metric::Dns),
            dns_p95: p95(Metric::Dns),
            tcp_p50: p50(Metric::Tcp),
            tcp_p95: p95(Metric::Tcp),
            tls_p50: p50(Metric::Tls),
            tls_p95: p95(Metric::Tls),
            ttfb_p50: p50(Metric::Ttfb),
            ttfb_p95: p95(Metric::Ttfb),
            throughput_p50: p50(Metric::Throughput),
            throughput_p95: p95(Metric::Throughput),
            diagnosis_label: label,
            is_final: window.is_final,
            as_of: window.as_of.ms(),
            network_type,
            isp,
            site,
            client_labels: Labels::of(window.tags.as_deref(), Side::Client),
            target_labels: Labels::of(window.tags.as_deref(), Side::Target),
        }
    }
}

fn finding(diagnosis: &Diagnosis) -> Value {
    let Some((severity, evidence)) = diagnosis.finding.as_deref() else { return Value::Null };
    json!({ "label": diagnosis.label, "severity": severity, "evidence": Evidence::of_row(diagnosis.label, evidence) })
}

/// What hurts in one window.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiagnosisItem {
    client_id: String,
    target: String,
    /// Unix milliseconds.
    window_start_ts: i64,
    #[schema(value_type = schema::Label)]
    label: Label,
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    evidence: Evidence,
    is_final: bool,
    /// Unix milliseconds.
    as_of: i64,
    /// Unix milliseconds.
    updated_at: i64,
}

/// The figures behind a diagnosis. Those that a row of an older netqoe does not have are null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    /// dns, handshake, ttfb, throughput; for error-bound the stage at which most measurements failed.
    stage: String,
    /// Of observed and usual: `ms`, `Mbit/s`, or `share` of the measurements.
    #[schema(value_type = schema::Unit)]
    unit: &'static str,
    /// What the newest window with samples shows.
    observed: f64,
    /// What is usual; null for error-bound.
    #[schema(required)]
    usual: Option<f64>,
    /// Where the usual range begins.
    #[schema(required)]
    usual_low: Option<f64>,
    /// Where it ends.
    #[schema(required)]
    usual_high: Option<f64>,
    /// How many σ the observed lies above the usual; null where the rules do not measure by σ.
    #[schema(required)]
    sigmas: Option<f64>,
    /// Share of the total that the stage takes, from 0 to 1.
    #[schema(required)]
    share_of_total: Option<f64>,
    /// Measurements in the windows that were looked at.
    #[schema(required)]
    samples: Option<u32>,
    /// Of these, how many failed, or at least how many were slow.
    #[schema(required)]
    bad_samples: Option<u32>,
    /// How many windows were looked at.
    #[schema(required)]
    windows: Option<u32>,
    /// Start of the first window of the run that this window belongs to, Unix milliseconds.
    #[schema(required)]
    since: Option<i64>,
}

impl Evidence {
    pub(crate) fn of(label: Label, finding: FindingRecord) -> Self {
        let FindingRecord {
            severity: _,
            stage,
            observed,
            usual,
            sigmas,
            share_of_total,
            samples,
            bad_samples,
            windows,
            since,
        } = finding;
        let [usual, usual_low, usual_high] = columns(usual);
        Self {
            stage,
            unit: unit(label),
            observed,
            usual,
            usual_low,
            usual_high,
            sigmas,
            share_of_total,
            samples,
            bad_samples,
            windows,
            since: since.map(WindowStart::ms),
        }
    }

    fn of_row(label: Label, evidence: &netqoe_model::Evidence) -> Self {
        let [usual, usual_low, usual_high] = columns(evidence.usual);
        Self {
            stage: evidence.stage.to_owned(),
            unit: unit(label),
            observed: evidence.observed,
            usual,
            usual_low,
            usual_high,
            sigmas: evidence.sigmas,
            share_of_total: evidence.share_of_total,
            samples: Some(evidence.samples),
            bad_samples: Some(evidence.bad_samples),
            windows: Some(evidence.windows),
            since: Some(evidence.since.ms()),
        }
    }
}

fn columns(usual: Option<UsualRange>) -> [Option<f64>; 3] {
    let of = |figure: fn(UsualRange) -> f64| usual.map(figure);
    [of(|usual| usual.centre), of(|usual| usual.low), of(|usual| usual.high)]
}

fn unit(label: Label) -> &'static str {
    match label {
        Label::ErrorBound => "share",
        Label::ThroughputBound => "Mbit/s",
        Label::DnsBound | Label::HandshakeBound | Label::ServerBound | Label::Healthy => "ms",
    }
}

impl From<DiagnosisRecord> for DiagnosisItem {
    fn from(record: DiagnosisRecord) -> Self {
        Self {
            client_id: record.client_id,
            target: record.target,
            window_start_ts: record.window_start.ms(),
            label: record.label,
            severity: record.finding.severity,
            evidence: Evidence::of(record.label, record.finding),
            is_final: record.is_final,
            as_of: record.as_of.ms(),
            updated_at: record.updated_at_ms,
        }
    }
}

/// A client and the network that it is in now. The network that a window of it was measured over stands in the row of the window.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientItem {
    client_id: String,
    #[schema(required)]
    network_type: Option<String>,
    #[schema(required)]
    isp: Option<String>,
    /// All that it says of its network, as JSON text.
    #[schema(required)]
    context: Option<String>,
    /// Unix milliseconds.
    first_seen: i64,
    /// Unix milliseconds.
    last_seen: i64,
}

impl From<ClientRecord> for ClientItem {
    fn from(record: ClientRecord) -> Self {
        let ClientRecord { client_id, network_type, isp, context, first_seen, last_seen } = record;
        Self { client_id, network_type, isp, context, first_seen: first_seen.ms(), last_seen: last_seen.ms() }
    }
}

/// A target and who measures it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetItem {
    target: String,
    client_count: u64,
    /// Start of its newest window, Unix milliseconds.
    last_window_start_ts: i64,
}

impl From<TargetRecord> for TargetItem {
    fn from(record: TargetRecord) -> Self {
        let TargetRecord { target, client_count, last_window } = record;
        Self { target, client_count, last_window_start_ts: last_window.ms() }
    }
}

/// When a reader is to ask again that got no answer for want of a store or of a place, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// Why there is no answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
// One document holds the schemas of all parts of a server, and ingest has a refusal of its own.
#[schema(as = QueryRefusal)]
pub(crate) struct Refusal {
    #[serde(skip)]
    status: StatusCode,
    /// What is wrong, for programs: `invalid_request`, `payload_too_large`, `not_found`, `conflict`,
    /// `too_slow` or `service_unavailable`.
    error: &'static str,
    /// What is wrong and what to do, for people.
    message: String,
    /// Seconds after which the same question may be answered.
    #[serde(rename = "retry_after", skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { status, error: "invalid_request", message: message.into(), retry_after_s: None }
    }

    /// A body that is longer than anything that people write.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self { status, error: "payload_too_large", message: message.into(), retry_after_s: None }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        let status = StatusCode::NOT_FOUND;
        Self { status, error: "not_found", message: message.into(), retry_after_s: None }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        let status = StatusCode::CONFLICT;
        Self { status, error: "conflict", message: message.into(), retry_after_s: None }
    }

    /// Nothing says that the same question would be answered soon.
    fn too_slow(message: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, error: "too_slow", message: message.into(), retry_after_s: None }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, error: "service_unavailable", message: message.into(), retry_after_s: Some(RETRY_AFTER_S) }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooSlow { .. } => Self::too_slow(error.to_string()),
            // The path of the data file is the operator's business.
            ReadError::Open { .. } | ReadError::Tls { .. } | ReadError::Query { .. } => {
                tracing::error!("{error}");
                Self::unavailable("the store can't be read; see the server's log")
            }
            ReadError::Unavailable { reason, store } => {
                tracing::warn!("the store {store} can't be read for now: {reason}");
                Self::unavailable(format!("the store can't be read for now: {reason}"))
            }
            ReadError::Busy => Self::unavailable(error.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after_s.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
        (self.status, retry_after, Json(self)).into_response()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Of a row that an older netqoe has written, with no more than all of them have.
    pub(crate) fn older_finding(severity: Severity, stage: &str, observed: f64) -> FindingRecord {
        FindingRecord {
            severity,
            stage: stage.to_owned(),
            observed,
            usual: None,
            sigmas: None,
            share_of_total: None,
            samples: None,
            bad_samples: None,
            windows: None,
            since: None,
        }
    }

    /// Rows that an older netqoe has written stay in a store for months.
    #[test]
    fn what_an_older_row_does_not_say_is_null() {
        let finding = older_finding(Severity::Major, "tls", 0.8);
        let expected = json!({
            "stage": "tls", "unit": "share", "observed": 0.8, "usual": null, "usual_low": null, "usual_high": null,
            "sigmas": null, "share_of_total": null, "samples": null, "bad_samples": null, "windows": null, "since": null,
        });
        assert_eq!(serde_json::to_value(Evidence::of(Label::ErrorBound, finding)).unwrap(), expected);
    }

    /// Who asked did nothing wrong, and would not be helped by asking the same again at once.
    #[test]
    fn a_question_that_takes_too_long_is_told_from_a_store_that_is_away() {
        let refusal = Refusal::from(ReadError::TooSlow { limit_ms: 5_000 });
        let message = "the question took longer than 5000 ms; narrow it with client_id, target, from or to";
        let expected = json!({ "error": "too_slow", "message": message });
        assert_eq!((refusal.status.as_u16(), serde_json::to_value(&refusal).unwrap()), (503, expected));
        assert!(!refusal.into_response().headers().contains_key(header::RETRY_AFTER));
    }
}
