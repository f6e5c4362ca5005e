//! What people look at, on the same listener as all else: the query API, the pipeline, and sessions for the page.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use netqoe_eventlog::LogSearch;
use netqoe_model::Rules;
use netqoe_model::metrics::Metrics;
use netqoe_pipeline::{CertificateWatch, LogMeasurements, View};
use netqoe_query::{
    Certificates, DeadLetters, FinalWindowsReader, LiveFeed, PipelineApi, PipelineView, QueryApi, UncountedEvents,
    keep_filled,
};
use netqoe_server::{OperationsAccess, SignIn, SystemClock, Tokens, for_readers};
use netqoe_sinks::Annotations;
use netqoe_sinks::read::Reader;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::clock::now_ms;

/// The reader with what can't change any more in memory, which one of the tasks keeps filled until `stop`.
pub(super) fn with_memory(
    reader: Arc<dyn Reader>,
    rules: &Rules,
    partitions: NonZeroU16,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Arc<dyn Reader> {
    let settled = Arc::new(FinalWindowsReader::new(reader, rules, partitions));
    tasks.spawn(keep_filled(Arc::clone(&settled), stop.clone()));
    settled
}

/// What is shown, and to whom.
pub(super) struct Dashboard {
    pub(super) reader: Arc<dyn Reader>,
    /// Where people write: never a replica; none where nothing is written.
    pub(super) annotations: Option<Arc<dyn Annotations>>,
    /// Where single measurements are found; none where there is no log.
    pub(super) log: Option<Arc<dyn LogSearch>>,
    pub(super) view: Arc<dyn PipelineView>,
    /// What is known of the certificates of targets.
    pub(super) certificates: Certificates,
    /// Events that are not counted; none where nothing is.
    pub(super) uncounted: Option<UncountedEvents>,
    pub(super) metrics: Metrics,
    pub(super) live: LiveFeed,
    pub(super) rules: Rules,
    pub(super) tokens: Tokens,
    pub(super) letters: Arc<dyn DeadLetters>,
    /// Whether the data are generated.
    pub(super) is_demo: bool,
    /// Where all of this is listened for.
    pub(super) address: SocketAddr,
}

impl Dashboard {
    /// Of a process with a pipeline, which tells of its commits.
    pub(super) fn of_pipeline(
        reader: Arc<dyn Reader>,
        annotations: Arc<dyn Annotations>,
        log: Arc<dyn LogSearch>,
        view: &Arc<View>,
        rules: Rules,
        letters: Arc<dyn DeadLetters>,
        (tokens, address): (Tokens, SocketAddr),
    ) -> Self {
        let (metrics, live) = (view.observed().metrics.clone(), view.observed().live.clone());
        let (annotations, log) = (Some(annotations), Some(log));
        let uncounted = Some(UncountedEvents {
            noted: view.observed().uncounted.clone(),
            has_refused: false,
            has_all_partitions: view.assignment().processes() == 1,
        });
        let view = Arc::clone(view) as Arc<dyn PipelineView>;
        Self {
            reader,
            annotations,
            log,
            view,
            certificates: Certificates::default(),
            uncounted,
            metrics,
            live,
            rules,
            tokens,
            letters,
            is_demo: false,
            address,
        }
    }

    /// What looks through the log for certificates, and tells of them here.
    pub(super) fn certificate_watch(&self, every: Duration) -> Option<CertificateWatch> {
        Some(CertificateWatch {
            log: Arc::clone(self.log.as_ref()?),
            certificates: self.certificates.clone(),
            metrics: self.metrics.clone(),
            now_ms,
            every,
        })
    }

    /// With what ingest notes in the same process.
    pub(super) fn with_refused(self) -> Self {
        let uncounted = self.uncounted.map(|events| UncountedEvents { has_refused: true, ..events });
        Self { uncounted, ..self }
    }

    /// Its routes and what they say of themselves, and who may ask how the server is; live streams end with `stop`.
    pub(super) fn routes(self, stop: &CancellationToken) -> ([(Router, OpenApi); 3], OperationsAccess) {
        let Self { reader, annotations, log, view, certificates, uncounted, metrics, live, .. } = self;
        let Self { rules, tokens, letters, is_demo, address, .. } = self;
        let sign_in = SignIn::new(tokens, metrics, Arc::new(SystemClock::new()));
        let queries = QueryApi::new(reader, &rules, live.clone(), stop.clone()).with_certificates(certificates);
        let queries = if is_demo { queries.of_demo() } else { queries };
        let queries = match annotations {
            Some(annotations) => queries.with_annotations(annotations),
            None => queries,
        };
        let queries = match log {
            Some(log) => queries.with_measurements(Arc::new(LogMeasurements::new(log, rules))),
            None => queries,
        };
        let pipeline = PipelineApi::new(view, live, letters, address.ip().to_canonical().is_loopback());
        let pipeline = match uncounted {
            Some(uncounted) => pipeline.with_uncounted(uncounted),
            None => pipeline,
        };
        let guarded = |(routes, document)| (sign_in.guard(routes), for_readers(document));
        let routes = [sign_in.router(), guarded(queries.router()), guarded(pipeline.router())];
        (routes, OperationsAccess::at(address, sign_in))
    }
}
