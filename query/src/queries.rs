//! The routes.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::{Json, Router, middleware};
use netqoe_model::Rules;
use netqoe_sinks::read::{Page, ReadError, Reader, Rows, Snapshot};
use netqoe_sinks::{AnnotationError, Annotations, Clock};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::{Info, OpenApi, Paths};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::analysis::{self, SharedAnswers};
use crate::answer::{AggregateItem, ClientItem, DiagnosisItem, Items, Refusal, TargetItem};
use crate::certificates::Certificates;
use crate::live::{self, LiveFeed};
use crate::measurements::{self, Measurements};
use crate::parameters::{Cursor, Parameters};
use crate::query_string::QueryString;
use crate::{corrections, incidents, labels, pipeline, runs, spelling};

/// Questions about what a store holds.
#[derive(Clone)]
pub struct QueryApi {
    reader: Arc<dyn Reader>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) answers: SharedAnswers,
    live: LiveFeed,
    stop: CancellationToken,
    annotations: Option<Arc<dyn Annotations>>,
    pub(crate) is_demo: bool,
    pub(crate) measurements: Option<Arc<dyn Measurements>>,
    pub(crate) certificates: Certificates,
    clock: Clock,
}

type Answer<T> = Result<Json<Items<T>>, Refusal>;

impl QueryApi {
    /// Reads with `reader` rows that were made by these rules; live streams end once `stop` is cancelled.
    pub fn new(reader: Arc<dyn Reader>, rules: &Rules, live: LiveFeed, stop: CancellationToken) -> Self {
        let (rules, answers) = (Arc::new(rules.clone()), SharedAnswers::new());
        Self {
            reader,
            rules,
            answers,
            live,
            stop,
            annotations: None,
            measurements: None,
            certificates: Certificates::default(),
            is_demo: false,
            clock: Arc::new(system_now_ms),
        }
    }

    /// Keeps what people write in `annotations`. Without them, requests to write are refused.
    #[must_use]
    pub fn with_annotations(self, annotations: Arc<dyn Annotations>) -> Self {
        Self { annotations: Some(annotations), ..self }
    }

    /// Finds single measurements in `measurements`. Without them, questions for them are refused.
    #[must_use]
    pub fn with_measurements(self, measurements: Arc<dyn Measurements>) -> Self {
        Self { measurements: Some(measurements), ..self }
    }

    /// Tells of the certificates in `certificates`.
    #[must_use]
    pub fn with_certificates(self, certificates: Certificates) -> Self {
        Self { certificates, ..self }
    }

    /// Says that the data are generated.
    #[must_use]
    pub fn of_demo(self) -> Self {
        Self { is_demo: true, ..self }
    }

    /// Takes the present from `clock`, not from the system's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Unix milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// Writes what a person says.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&dyn Annotations) -> Result<T, AnnotationError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let message = "nothing can be written here: this server only reads a store";
        let annotations = self.annotations.clone().ok_or_else(|| Refusal::unavailable(message))?;
        self.work(move |_| Ok(write(&*annotations)?)).await
    }

    /// The routes and what they say of themselves.
    pub fn router(self) -> (Router, OpenApi) {
        let live = live::routes().with_state((self.live.clone(), self.stop.clone()));
        let in_its_spelling = middleware::from_fn_with_state(self.clone(), spelling::in_its_spelling);
        let (router, document) = routes().with_state(self).merge(live).split_for_parts();
        (router.layer(in_its_spelling), document)
    }

    /// Reads a page.
    pub(crate) async fn page<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Rows) -> Result<Page<T>, ReadError> + Send + 'static,
    ) -> Result<Page<T>, Refusal> {
        self.ask(|store, _| Ok(read(store.rows)?)).await
    }

    /// Reads one snapshot of the store.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(Snapshot<'_>, &Rules) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.ask_and(read, |found, _| Ok(found)).await
    }

    /// Reads one snapshot of the store, and makes an answer of it once the snapshot is let go.
    pub(crate) async fn ask_and<F, T: Send + 'static>(
        &self,
        read: impl FnOnce(Snapshot<'_>, &Rules) -> Result<F, Refusal> + Send + 'static,
        make: impl FnOnce(F, &Rules) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let reader = Arc::clone(&self.reader);
        self.work(move |rules| make(reader.ask(|store| read(store, rules))?, rules)).await
    }

    /// Does this on a thread that may wait for the disk.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Rules) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let rules = Arc::clone(&self.rules);
        let answer = tokio::task::spawn_blocking(move || work(&rules)).await;
        answer.map_err(|_| Refusal::unavailable("the question was given up; ask again"))?
    }
}

fn system_now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new()
        .routes(routes!(clients))
        .routes(routes!(targets))
        .routes(routes!(aggregates))
        .routes(routes!(diagnoses))
        .merge(analysis::routes())
        .merge(runs::routes())
        .merge(corrections::routes())
        .merge(incidents::routes())
        .merge(measurements::routes())
        .merge(labels::routes())
}

/// What all routes of this crate say of themselves: `openapi.json` beside this crate's sources, from which the types of the
/// page are made.
pub fn document() -> OpenApi {
    let about = Info::builder().title("netqoe: the query API").version("v1").license(None).build();
    let mut document =
        OpenApiRouter::<QueryApi>::with_openapi(OpenApi::new(about, Paths::new())).merge(routes()).into_openapi();
    document.merge(live::routes().into_openapi());
    document.merge(pipeline::routes(true).into_openapi());
    netqoe_server::described(netqoe_server::for_readers(document))
}

pub(crate) fn items<T, I>(page: Page<T>, cursor: impl Fn(&T) -> String, item: impl Fn(T) -> I) -> Json<Items<I>> {
    let next_cursor = page.items.last().filter(|_| page.has_more).map(cursor);
    Json(Items { items: page.items.into_iter().map(item).collect(), next_cursor })
}

/// Clients by their id.
#[utoipa::path(get, path = "/api/v1/clients", params(Parameters),
    responses((status = 200, body = Items<ClientItem>), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn clients(State(api): State<QueryApi>, QueryString(parameters): QueryString<Parameters>) -> Answer<ClientItem> {
    let query = parameters.query::<String>()?;
    let page = api.page(move |rows| rows.clients(&query)).await?;
    Ok(items(page, |client| client.client_id.encode(), ClientItem::from))
}

/// Targets by their name.
#[utoipa::path(get, path = "/api/v1/targets", params(Parameters),
    responses((status = 200, body = Items<TargetItem>), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn targets(State(api): State<QueryApi>, QueryString(parameters): QueryString<Parameters>) -> Answer<TargetItem> {
    let query = parameters.query::<String>()?;
    let page = api.page(move |rows| rows.targets(&query)).await?;
    Ok(items(page, |target| target.target.encode(), TargetItem::from))
}

/// Rows of `agg_1m` with the store's column names, newest window first.
///
/// `network_type`, `isp` and `site` name the network that the window was measured over, as the newest of its counted
/// events says that names one; they are null where it is unknown. `site` is the context's `site`, or else its `user_label`.
#[utoipa::path(get, path = "/api/v1/aggregates", params(Parameters),
    responses((status = 200, body = Items<AggregateItem>), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn aggregates(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<Parameters>,
) -> Answer<AggregateItem> {
    let query = parameters.query()?;
    let page = api.page(move |rows| rows.aggregates(&query)).await?;
    Ok(items(page, |record| record.position().encode(), AggregateItem::from))
}

/// What hurts, newest window first.
#[utoipa::path(get, path = "/api/v1/diagnoses", params(Parameters),
    responses((status = 200, body = Items<DiagnosisItem>), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn diagnoses(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<Parameters>,
) -> Answer<DiagnosisItem> {
    let query = parameters.query()?;
    let page = api.page(move |rows| rows.diagnoses(&query)).await?;
    Ok(items(page, |record| record.position().encode(), DiagnosisItem::from))
}
