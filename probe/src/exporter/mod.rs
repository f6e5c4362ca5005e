//! What the probe measures, for Prometheus: `/metrics` of the latest measurement of each target, and `/probe`, which
//! measures once, now, as blackbox_exporter does.
//!
//! Names are blackbox_exporter's where it has one for the same figure. A phase that was not reached is absent, never 0.

mod asker;
mod explained;
mod families;
mod gauges;
mod preference;
mod question;

use std::sync::Arc;

use ::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderMap, StatusCode};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use crate::{Observations, Plan, PlannedTarget, ReportWatch, Settings};
pub use question::{Families, InvalidQuestion, Question};

/// Which targets `/probe` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Askable {
    /// Any: for listeners that only this machine reaches. A site could point a name of its own at this listener and read the
    /// answers in a browser here; so requests must address it by an IP address, or as `localhost`. Requests that a page makes
    /// the browser send to those names are refused too, although the page could not read their answers.
    Any,
    /// Those of the plan alone: clients on other machines must not be able to make the probe connect to arbitrary addresses.
    Planned,
}

/// What the routes share.
struct Exporter {
    observations: Observations,
    reporting: Option<ReportWatch>,
    planned: watch::Receiver<Vec<PlannedTarget>>,
    settings: Settings,
    askable: Askable,
    /// Those of `/probe` are apart from the schedule's, which they must not hold up.
    permits: Semaphore,
}

/// Why `/probe` did not measure.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Invalid(#[from] InvalidQuestion),
    #[error(
        "this probe listens beyond loopback and measures for others only what it measures itself: add the target to its list, or ask from a probe on loopback"
    )]
    NotPlanned,
    #[error("this probe measures for this machine alone; ask for it as localhost or by its address")]
    OtherName,
    #[error("a page in a browser has asked for this; ask from a program")]
    Page,
    #[error("this probe uses {0} only, and preferred_ip_protocol asks for the other alone")]
    OtherFamily(&'static str),
    #[error("too many measurements at once; ask again later, or give the probe a higher --concurrency")]
    Busy,
}

/// `GET /metrics` and `GET /probe?target=URL&module=NAME` (see [`Question`]) of an agent that follows `plan`; with the counts of `reporting`, where it reports to an
/// endpoint.
///
/// `/probe` measures with the plan's settings, at most `concurrency` at a time, in no more time than the settings' timeout and
/// Prometheus's own (`X-Prometheus-Scrape-Timeout-Seconds`) allow. Errors are one line of text: 400 a question that can't be
/// answered, 403 a target that may not be asked for, 503 too many at once.
pub fn exporter(plan: &Plan, reporting: Option<ReportWatch>, askable: Askable) -> Router {
    let exporter = Exporter {
        observations: plan.observations.clone(),
        reporting,
        planned: plan.targets.clone(),
        settings: plan.settings.clone(),
        askable,
        permits: Semaphore::new(plan.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
    };
    Router::new().route("/metrics", get(metrics)).route("/probe", get(probe)).with_state(Arc::new(exporter))
}

async fn metrics(State(exporter): State<Arc<Exporter>>, headers: HeaderMap) -> Result<Response, Refusal> {
    // Programs may come by way of a proxy, under its name. Under another name, a browser would show a page what is measured here.
    if exporter.askable == Askable::Any && asker::is_browser(&headers) && !asker::asks_by_address(&headers) {
        return Err(Refusal::OtherName);
    }
    let spool = exporter.reporting.as_ref().map(ReportWatch::counts);
    let mut families = families::of_all(&exporter.observations, spool);
    families.extend(exporter.reporting.iter().flat_map(ReportWatch::spans));
    Ok(text(&families))
}

async fn probe(
    State(exporter): State<Arc<Exporter>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = Question::parse(query.as_deref().unwrap_or_default(), &headers)?;
    let planned = exporter.planned.borrow().iter().find(|planned| planned.target == question.target).cloned();
    match exporter.askable {
        Askable::Any if !asker::asks_by_address(&headers) => return Err(Refusal::OtherName),
        Askable::Any if asker::is_a_page(&headers) => return Err(Refusal::Page),
        Askable::Planned if planned.is_none() => return Err(Refusal::NotPlanned),
        Askable::Any | Askable::Planned => {}
    }
    // What is said of a target holds for it alone: a secret must not reach another that is asked for.
    let mut settings =
        planned.map_or_else(|| exporter.settings.clone(), |planned| planned.own.over(&exporter.settings));
    if let Some(only) = question.families.and_then(|families| preference::never_used(families, &settings)) {
        return Err(Refusal::OtherFamily(only));
    }
    let (asked, patience) = (Instant::now(), question.patience);
    let limit = patience.map_or(settings.timeout, |patience| patience.min(settings.timeout));
    // At least half of the time is left for the measurement: with less, a target would fail because of the probe.
    let permit = timeout(limit / 2, exporter.permits.acquire()).await;
    // Nothing closes the semaphore.
    let _permit = permit.map_err(|_| Refusal::Busy)?;
    settings.timeout = limit.saturating_sub(asked.elapsed());
    let measurement = preference::measure(&question, &settings).await;
    let families = families::of_one(&measurement);
    if question.is_debug {
        return Ok(plain(&explained::explained(&question, &settings, &measurement, &families)));
    }
    Ok(text(&families))
}

/// For people: a browser must not guess that it is a page, since servers have written parts of it.
fn plain(text: &str) -> Response {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, text.to_owned()).into_response()
}

fn text(families: &[MetricFamily]) -> Response {
    match TextEncoder::new().encode_to_string(families) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("the metrics can't be written: {error}\n")).into_response()
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Invalid(_) | Self::OtherFamily(_) => StatusCode::BAD_REQUEST,
            Self::NotPlanned | Self::OtherName | Self::Page => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, format!("{self}\n")).into_response()
    }
}
