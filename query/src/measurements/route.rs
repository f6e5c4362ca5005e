//! `GET /api/v1/events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use netqoe_sinks::read::Paged;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::MeasurementsAnswer;
use super::corrected::CorrectedWindows;
use super::different::MeasurementDifference;
use super::{Measurements, MeasurementsError, Place, Sampled, Sought};
use crate::analysis::DifferentMeasurementsParameters;
use crate::answer::Refusal;
use crate::parameters::{Limit, paged};
use crate::queries::QueryApi;
use crate::query_string::QueryString;
use crate::values::Time;

/// How far back is looked where no `from` is given: as other routes do.
const DEFAULT_RANGE_MS: i64 = 3_600_000;

pub(crate) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new().routes(routes!(events)).routes(routes!(different_measurements))
}

/// Whose measurements, and when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MeasurementParameters {
    /// Of this client.
    #[param(required)]
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Measured at or after this time: Unix milliseconds or RFC 3339; an hour before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Measured before this time: Unix milliseconds or RFC 3339; now where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// Items a page; 100 where absent.
    #[param(inline, value_type = Option<Limit>)]
    limit: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl MeasurementParameters {
    fn sought(self, now_ms: i64) -> Result<(Sought, usize), Refusal> {
        let Self { client_id, target, from, to, limit, cursor } = self;
        let Paged { after, limit } = paged::<Place>(limit.as_deref(), cursor.as_deref())?;
        let client_id = client_id.ok_or_else(|| Refusal::invalid("whose measurements? give client_id"))?;
        let to_ms = to.as_deref().map_or(Ok(now_ms), |text| Time::read("to", text))?;
        let from_ms =
            from.as_deref().map_or(Ok(to_ms.saturating_sub(DEFAULT_RANGE_MS)), |text| Time::read("from", text))?;
        let sought = Sought { client_id, target, from_ms, to_ms, before: after, late_until_ms: None };
        Ok((sought, usize::from(limit)))
    }
}

/// Measurements of a client as the log has them, newest first by when it took them: each event as it was accepted, with its log time and
/// whether its window counts it. And why those failed that failed, grouped and counted.
///
/// One answer reads a bounded part of the log, so that a page may have fewer items than it might, or none, and still be followed
/// by another one. Events that came late are found if a correction has counted them, in the newest thousand windows that are asked for, and else
/// where they lie among others. What the log has discarded is gone: `kept_since` says since when it has all. 404 on a server without a log.
#[utoipa::path(get, path = "/api/v1/events", params(MeasurementParameters),
    responses((status = 200, body = MeasurementsAnswer), (status = 400, body = Refusal),
        (status = 404, description = "This server has no log to read", body = Refusal), (status = 503, body = Refusal)))]
async fn events(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<MeasurementParameters>,
) -> Result<Json<MeasurementsAnswer>, Refusal> {
    let (sought, limit) = parameters.sought(api.now_ms())?;
    let measurements = kept(&api)?;
    let asked = sought.clone();
    let corrected =
        api.ask(move |store, rules| Ok(CorrectedWindows::read(store.rows, &asked, rules.window_ms)?)).await?;
    let found = measurements.find(Sought { late_until_ms: corrected.late_until_ms(), ..sought }).await?;
    api.work(move |rules| Ok(MeasurementsAnswer::of(&found, limit, &corrected, rules))).await.map(Json)
}

fn kept(api: &QueryApi) -> Result<Arc<dyn Measurements>, Refusal> {
    api.measurements.clone().ok_or_else(|| {
        let message = "this server reads a store and has no log, so it has no single measurements; ask the server of \
            `netqoe up` or `netqoe aggregate`";
        Refusal::not_found(message)
    })
}

/// By what single measurements inside a region of a chart differ from those outside of it: why they failed, their status, addresses,
/// name servers and versions, as the log has them.
///
/// One answer reads a bounded part of the log, the newest of each side; `is_whole` says whether that is all. 404 on a server
/// without a log.
#[utoipa::path(get, path = "/api/v1/different/measurements", params(DifferentMeasurementsParameters),
    responses((status = 200, body = MeasurementDifference), (status = 400, body = Refusal),
        (status = 404, description = "This server has no log to read", body = Refusal), (status = 503, body = Refusal)))]
async fn different_measurements(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<DifferentMeasurementsParameters>,
) -> Result<Json<MeasurementDifference>, Refusal> {
    let ([from_ms, to_ms], [inside_from, inside_to]) = (parameters.range_ms(api.now_ms())?, parameters.inside_ms()?);
    let [client_id, target] = parameters.names();
    let measurements = kept(&api)?;
    let sample = async |from_ms: i64, to_ms: i64| {
        let sampled = Sampled { client_id: client_id.clone(), target: target.clone(), from_ms, to_ms };
        if from_ms < to_ms { measurements.sample(sampled).await.map(Some) } else { Ok(None) }
    };
    let inside = sample(inside_from.max(from_ms), inside_to.min(to_ms)).await?;
    let before = sample(from_ms, inside_from.min(to_ms)).await?;
    let after = sample(inside_to.max(from_ms), to_ms).await?;
    api.work(move |_| {
        let outside: Vec<_> = [before, after].into_iter().flatten().collect();
        Ok(MeasurementDifference::of(inside.as_slice(), &outside))
    })
    .await
    .map(Json)
}

impl From<MeasurementsError> for Refusal {
    fn from(error: MeasurementsError) -> Self {
        match error {
            MeasurementsError::Busy => Self::unavailable(error.to_string()),
            MeasurementsError::Unavailable(reason) => {
                tracing::warn!("measurements can't be read from the log: {reason}");
                Self::unavailable("the log can't be read now; see the server's log")
            }
        }
    }
}
