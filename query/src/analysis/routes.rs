//! The routes.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use netqoe_model::Rules;
use netqoe_sinks::read::Snapshot;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{
    CompareParameters, DifferentParameters, FleetParameters, OverviewParameters, Scope, SeriesParameters,
    TimelineParameters,
};
use super::compare::{self, Comparison};
use super::current::Current;
use super::different::{self, Difference};
use super::matrix::{self, Matrix};
use super::overview::{self, Beside, Overview};
use super::score::{self, ScoreParameters, Scores};
use super::series::{self, Series};
use super::shared::{Question, Reading};
use super::timeline::{self, Timeline};
use crate::answer::Refusal;
use crate::queries::QueryApi;
use crate::query_string::QueryString;

pub(crate) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(matrix))
        .routes(routes!(timeline))
        .routes(routes!(series))
        .routes(routes!(compare))
        .routes(routes!(different))
        .routes(routes!(score))
}

/// What goes on: one sentence, the open incidents, who is hurt, where, and since when by the newest row of each pair, and who
/// is silent. Where `to` lies in the past, the incidents that were open then. May be half a second old.
#[utoipa::path(get, path = "/api/v1/overview", params(OverviewParameters),
    responses((status = 200, body = Overview), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn overview(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<OverviewParameters>,
) -> Result<Response, Refusal> {
    let (scope, by) = (parameters.scope()?.in_whole_windows(&api.rules), parameters.by()?);
    let question = Question::Overview(scope.clone(), by.clone());
    let (now_ms, demo, certificates, asked) = (api.now_ms(), api.is_demo, api.certificates.clone(), scope.clone());
    let answer = |reading: Arc<Reading>| {
        api.work(move |rules| {
            let certificates = overview::certificates(&certificates, &asked, &reading.current, now_ms);
            let beside = Beside { now_ms, demo, certificates };
            json(&overview::of(&reading.current, by.as_ref(), rules, beside))
        })
    };
    of_current(&api, question, scope, answer).await
}

/// The label of each pair of client and target, by its newest row. May be half a second old.
#[utoipa::path(get, path = "/api/v1/matrix", params(FleetParameters),
    responses((status = 200, body = Matrix), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn matrix(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<FleetParameters>,
) -> Result<Response, Refusal> {
    let scope = parameters.scope()?.in_whole_windows(&api.rules);
    let question = Question::Matrix(scope.clone());
    let answer = |reading: Arc<Reading>| api.work(move |_| json(&matrix::of(&reading.current)));
    of_current(&api, question, scope, answer).await
}

/// Degraded pairs over time, by what hurts. May be half a second old.
#[utoipa::path(get, path = "/api/v1/timeline", params(TimelineParameters),
    responses((status = 200, body = Timeline), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn timeline(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<TimelineParameters>,
) -> Result<Response, Refusal> {
    let (scope, max_points) = (parameters.scope()?.in_whole_windows(&api.rules), parameters.max_points()?);
    let question = Question::Timeline(scope.clone(), max_points);
    let read = move |store: Snapshot<'_>, rules: &Rules| timeline::read(store, scope, max_points, rules);
    let answer = api.ask_and(read, |found, rules| json(&timeline::of(&found, rules)));
    Ok(response(api.answers.get(question, answer).await?))
}

/// The chart of one pair, with what was usual for it.
#[utoipa::path(get, path = "/api/v1/series", params(SeriesParameters),
    responses((status = 200, body = Series), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn series(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<SeriesParameters>,
) -> Result<Json<Series>, Refusal> {
    let (scope, max_points) = (parameters.scope()?, parameters.max_points()?);
    let read = move |store: Snapshot<'_>, rules: &Rules| series::read(store.rows, scope, max_points, rules);
    api.ask_and(read, |found, rules| Ok(series::of(found, rules))).await.map(Json)
}

/// The pairs of a target or of a client, worst first.
#[utoipa::path(get, path = "/api/v1/compare", params(CompareParameters),
    responses((status = 200, body = Comparison), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn compare(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<CompareParameters>,
) -> Result<Json<Comparison>, Refusal> {
    let (scope, max_points) = (parameters.scope()?, parameters.max_points()?);
    let read = move |store: Snapshot<'_>, rules: &Rules| compare::read(store, scope, max_points, rules);
    api.ask_and(read, |found, _| Ok(compare::of(&found))).await.map(Json)
}

/// Which clients, targets, providers, kinds of network, sites and labels differ most inside a region of a chart from the rest of it.
#[utoipa::path(get, path = "/api/v1/different", params(DifferentParameters),
    responses((status = 200, body = Difference), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn different(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<DifferentParameters>,
) -> Result<Json<Difference>, Refusal> {
    let (scope, inside_ms, matching) = (parameters.scope()?, parameters.inside_ms()?, parameters.matching()?);
    let read = move |store: Snapshot<'_>, rules: &Rules| different::read(store, scope, inside_ms, matching, rules);
    api.ask_and(read, |found, _| Ok(different::of(&found))).await.map(Json)
}

/// How well pairs, targets, clients, providers, the values of a label or the fleet do, from 0 to 100, and how much of the time they were available: those
/// with the lowest score first. Over the last day where `from` is absent. `docs/score.md` has the formulas.
#[utoipa::path(get, path = "/api/v1/score", params(ScoreParameters),
    responses((status = 200, body = Scores), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn score(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<ScoreParameters>,
) -> Result<Json<Scores>, Refusal> {
    let asked = parameters.question()?;
    let read = move |store: Snapshot<'_>, rules: &Rules| score::read(store.rows, asked, rules);
    api.ask_and(read, |found, _| Ok(score::of(&found))).await.map(Json)
}

async fn of_current<A: Future<Output = Result<Bytes, Refusal>>>(
    api: &QueryApi,
    question: Question,
    scope: Scope,
    answer: impl FnOnce(Arc<Reading>) -> A,
) -> Result<Response, Refusal> {
    let current = (scope.clone(), api.ask(move |store, rules| Current::read(store, scope, rules)));
    Ok(response(api.answers.get_of_current(question, current, answer).await?))
}

fn response(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

/// Written where the answer is made: a heatmap is too long to be written between two requests.
fn json(answer: &impl Serialize) -> Result<Bytes, Refusal> {
    let json = serde_json::to_vec(answer);
    json.map(Bytes::from).map_err(|_| Refusal::unavailable("the answer can't be written; ask again"))
}
