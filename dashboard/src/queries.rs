//! The routes.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as QueryString, State};
use axum::{Json, Router};
use netqoe_model::Rules;
use netqoe_sinks::read::{Page, ReadError, Reader};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::analysis::{self, SharedAnswers};
use crate::answer::{ClientItem, DiagnosisItem, Items, Refusal, TargetItem, aggregate};
use crate::live::{self, LiveFeed};
use crate::parameters::{Cursor, Parameters, asked};
use crate::runs;

/// Questions about what a store holds.
#[derive(Clone)]
pub struct QueryApi {
    reader: Arc<dyn Reader>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) answers: SharedAnswers,
    live: LiveFeed,
    stop: CancellationToken,
}

type Answer<T> = Result<Json<Items<T>>, Refusal>;
type Asked = Result<QueryString<Parameters>, QueryRejection>;

impl QueryApi {
    /// Reads with `reader` rows that were made by these rules; live streams end once `stop` is cancelled.
    pub fn new(reader: Arc<dyn Reader>, rules: &Rules, live: LiveFeed, stop: CancellationToken) -> Self {
        Self { reader, rules: Arc::new(rules.clone()), answers: SharedAnswers::new(), live, stop }
    }

    /// The routes and what they say of themselves.
    pub fn router(self) -> (Router, utoipa::openapi::OpenApi) {
        let live = live::routes(self.live.clone(), self.stop.clone());
        OpenApiRouter::new()
            .routes(routes!(clients))
            .routes(routes!(targets))
            .routes(routes!(aggregates))
            .routes(routes!(diagnoses))
            .merge(analysis::routes())
            .merge(runs::routes())
            .with_state(self)
            .merge(live)
            .split_for_parts()
    }

    /// Reads a page.
    async fn page<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Reader) -> Result<Page<T>, ReadError> + Send + 'static,
    ) -> Result<Page<T>, Refusal> {
        self.ask(|reader, _| Ok(read(reader)?)).await
    }

    /// Reads, and makes an answer of it, on a thread that may wait for the disk.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Reader, &Rules) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reader, rules) = (Arc::clone(&self.reader), Arc::clone(&self.rules));
        let answer = tokio::task::spawn_blocking(move || read(&*reader, &rules)).await;
        answer.map_err(|_| Refusal::unavailable("the question was given up; ask again"))?
    }
}

fn items<T, I>(page: Page<T>, cursor: impl Fn(&T) -> String, item: impl Fn(T) -> I) -> Json<Items<I>> {
    let next_cursor = page.items.last().filter(|_| page.has_more).map(cursor);
    Json(Items { items: page.items.into_iter().map(item).collect(), next_cursor })
}

/// Clients by their id.
#[utoipa::path(get, path = "/api/v1/clients", params(Parameters),
    responses((status = 200, body = Items<ClientItem>), (status = 400, body = Refusal), (status = 401, body = Refusal),
        (status = 503, body = Refusal)))]
async fn clients(State(api): State<QueryApi>, parameters: Asked) -> Answer<ClientItem> {
    let query = asked(parameters)?.query::<String>()?;
    let page = api.page(move |reader| reader.clients(&query)).await?;
    Ok(items(page, |client| client.client_id.encode(), ClientItem::from))
}

/// Targets by their name.
#[utoipa::path(get, path = "/api/v1/targets", params(Parameters),
    responses((status = 200, body = Items<TargetItem>), (status = 400, body = Refusal), (status = 401, body = Refusal),
        (status = 503, body = Refusal)))]
async fn targets(State(api): State<QueryApi>, parameters: Asked) -> Answer<TargetItem> {
    let query = asked(parameters)?.query::<String>()?;
    let page = api.page(move |reader| reader.targets(&query)).await?;
    Ok(items(page, |target| target.target.encode(), TargetItem::from))
}

/// Rows of `agg_1m` with the store's column names, newest window first.
///
/// `network_type`, `isp` and `site` name the network that the window was measured over, as the newest of its counted
/// events says that names one; they are null where it is unknown. `site` is the context's `site`, or else its `user_label`.
#[utoipa::path(get, path = "/api/v1/aggregates", params(Parameters),
    responses((status = 200, body = Items<Value>), (status = 400, body = Refusal), (status = 401, body = Refusal),
        (status = 503, body = Refusal)))]
async fn aggregates(State(api): State<QueryApi>, parameters: Asked) -> Answer<Value> {
    let query = asked(parameters)?.query()?;
    let page = api.page(move |reader| reader.aggregates(&query)).await?;
    Ok(items(page, |record| record.position().encode(), |record| aggregate(&record)))
}

/// What hurts, newest window first.
#[utoipa::path(get, path = "/api/v1/diagnoses", params(Parameters),
    responses((status = 200, body = Items<DiagnosisItem>), (status = 400, body = Refusal), (status = 401, body = Refusal),
        (status = 503, body = Refusal)))]
async fn diagnoses(State(api): State<QueryApi>, parameters: Asked) -> Answer<DiagnosisItem> {
    let query = asked(parameters)?.query()?;
    let page = api.page(move |reader| reader.diagnoses(&query)).await?;
    Ok(items(page, |record| record.position().encode(), DiagnosisItem::from))
}
