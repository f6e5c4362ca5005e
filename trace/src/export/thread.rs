//! Delivers spans in batches over HTTP, in OTLP's binary form. A batch that is not taken is dropped: nothing is kept for
//! a collector that is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, select};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use rustls::crypto::aws_lc_rs;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::{Collector, SpanCounts, StartError};

/// Spans of one delivery, at most: some 200 KB.
const MAX_BATCH_SPANS: usize = 512;
/// How long a span waits for others to be delivered with.
const GATHERING: Duration = Duration::from_secs(1);
/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read. It says how many spans were refused.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

const AGENT: &str = concat!("netqoe/", env!("CARGO_PKG_VERSION"));

/// What the thread works with.
pub(super) struct Delivery {
    agent: Agent,
    collector: Collector,
    url: String,
    resource: ResourceAttributesWithSchema,
    counts: SpanCounts,
    /// Spans that were lost since the collector was away; none where it is not.
    lost: Option<u64>,
}

impl Delivery {
    pub(super) fn new(collector: Collector, resource: &Resource, counts: SpanCounts) -> Result<Self, StartError> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .user_agent(AGENT);
        if collector.is_tls() {
            config = config.tls_config(tls().ok_or_else(|| StartError::NoRoots(collector.to_string()))?);
        }
        let (agent, url) = (config.build().new_agent(), collector.traces());
        Ok(Self { agent, url, resource: resource.into(), collector, counts, lost: None })
    }

    /// Until nothing more comes, and then what waits.
    pub(super) fn run(mut self, spans: &Receiver<SpanData>, closed: &Receiver<()>) {
        let mut open = true;
        while open {
            let first = select! {
                recv(spans) -> span => span.ok(),
                recv(closed) -> _ => None,
            };
            open = first.is_some();
            let mut batch: Vec<_> = first.into_iter().collect();
            if open {
                open = gather(&mut batch, spans, closed);
            }
            batch.extend(spans.try_iter().take(MAX_BATCH_SPANS - batch.len()));
            self.deliver(batch);
        }
        loop {
            let rest: Vec<_> = spans.try_iter().take(MAX_BATCH_SPANS).collect();
            if rest.is_empty() {
                return;
            }
            self.deliver(rest);
        }
    }

    fn deliver(&mut self, batch: Vec<SpanData>) {
        if batch.is_empty() {
            return;
        }
        let spans = batch.len() as u64;
        match self.post(batch) {
            Ok(refused) => {
                let refused = refused.min(spans);
                self.counts.delivered(spans - refused);
                self.counts.refused(refused);
                if let Some(lost) = self.lost.take() {
                    tracing::info!("the collector at {} takes spans again; {lost} were lost meanwhile", self.collector);
                }
            }
            Err(reason) => {
                self.counts.undelivered(spans);
                if self.lost.is_none() {
                    tracing::warn!(
                        "spans can't be delivered to {}: {reason}; they are dropped until it takes them",
                        self.collector
                    );
                }
                *self.lost.get_or_insert_default() += spans;
            }
        }
    }

    /// How many of a batch the collector has refused while it took the others.
    fn post(&self, batch: Vec<SpanData>) -> Result<u64, String> {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let mut request = self.agent.post(&self.url).header("Content-Type", "application/x-protobuf");
        for (name, value) in self.collector.headers.iter() {
            request = request.header(name, value);
        }
        let mut answer = request.send(&body[..]).map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}{}", answer.status().as_u16(), advice(answer.status().as_u16())));
        }
        // Taken, whatever it says of that.
        let said = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().unwrap_or_default();
        let refused = ExportTraceServiceResponse::decode(&said[..]).unwrap_or_default().partial_success;
        Ok(refused.map_or(0, |refused| refused.rejected_spans.max(0).unsigned_abs()))
    }
}

/// What comes soon after the first span. False if nothing more will come.
fn gather(batch: &mut Vec<SpanData>, spans: &Receiver<SpanData>, closed: &Receiver<()>) -> bool {
    let until = Instant::now() + GATHERING;
    while batch.len() < MAX_BATCH_SPANS {
        select! {
            recv(spans) -> span => match span {
                Ok(span) => batch.push(span),
                Err(_) => return false,
            },
            recv(closed) -> _ => return false,
            default(until.saturating_duration_since(Instant::now())) => return true,
        }
    }
    true
}

fn tls() -> Option<TlsConfig> {
    let found = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = found.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    (!roots.is_empty()).then(|| {
        TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build()
    })
}

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => " (redirects are not followed: give the URL that it leads to)",
        401 | 403 => " (see --otlp-headers-file)",
        404 | 405 => " (see that the URL is the one of OTLP over HTTP, usual on port 4318, without /v1/traces)",
        _ => "",
    }
}
