//! `GET /api/v1/corrections`: what came late and is counted all the same, by hour.
//!
//! Decision: D-108.

use axum::Json;
use axum::extract::State;
use netqoe_model::MAX_TIME_MS;
use netqoe_sinks::read::{CorrectedHour, ReadError, Rows, WaitingEvents};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Refusal;
use crate::queries::QueryApi;
use crate::query_string::QueryString;
use crate::values::Time;

/// How far back is looked where no `from` is given.
const DEFAULT_RANGE_MS: i64 = 24 * 3_600_000;

/// A hundred days of hours: more than a store keeps by default.
const MAX_HOURS: u32 = 2_400;

pub(crate) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new().routes(routes!(corrections))
}

/// Which part of the time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CorrectionParameters {
    /// Corrected at or after this time of the log: Unix milliseconds or RFC 3339; a day before `to` where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Corrected before this time of the log: Unix milliseconds or RFC 3339; now where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
}

/// What was corrected in a range, and what waits now.
#[derive(Debug, Serialize, ToSchema)]
struct Corrections {
    /// Hours with a correction, oldest first.
    items: Vec<CorrectedHourItem>,
    waiting: Waiting,
}

/// The corrections of an hour, as far as they lie in the range.
#[derive(Debug, Serialize, ToSchema)]
struct CorrectedHourItem {
    /// Where it begins, Unix milliseconds: a whole hour of UTC.
    hour: i64,
    /// How many there were.
    corrections: u64,
    /// Pairs that were computed again, each as often as it was.
    pairs: u64,
    /// Events that came late and count since then.
    accepted: u64,
    /// Copies of events that were counted.
    duplicate: u64,
    /// Rows that were written. Of these, only those whose window has changed have a higher `revision`.
    rows_written: u64,
}

/// What came late and is not counted yet.
#[derive(Debug, Serialize, ToSchema)]
struct Waiting {
    /// Pairs whose rows do not reflect it.
    pairs: u64,
    /// Events, copies included.
    events: u64,
}

/// What came after its windows were closed and was counted all the same, by hour of the log, and what waits to be counted.
#[utoipa::path(get, path = "/api/v1/corrections", params(CorrectionParameters),
    responses((status = 200, body = Corrections), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn corrections(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<CorrectionParameters>,
) -> Result<Json<Corrections>, Refusal> {
    let CorrectionParameters { from, to } = parameters;
    let to_ms = to.as_deref().map_or(Ok(api.now_ms()), |text| Time::read("to", text))?;
    let from_ms =
        from.as_deref().map_or(Ok(to_ms.saturating_sub(DEFAULT_RANGE_MS)), |text| Time::read("from", text))?;
    let times_ms = [from_ms, to_ms].map(|ms| ms.clamp(0, MAX_TIME_MS));
    let (hours, waiting) = api.ask(move |store, _| Ok(read(store.rows, times_ms)?)).await?;
    if hours.len() > MAX_HOURS as usize {
        let message = format!("there are corrections in more than {MAX_HOURS} hours; narrow it with from or to");
        return Err(Refusal::invalid(message));
    }
    let WaitingEvents { pairs, events } = waiting;
    let items = hours.into_iter().map(CorrectedHourItem::from).collect();
    Ok(Json(Corrections { items, waiting: Waiting { pairs, events } }))
}

fn read(rows: &dyn Rows, times_ms: [i64; 2]) -> Result<(Vec<CorrectedHour>, WaitingEvents), ReadError> {
    Ok((rows.corrected_hours(times_ms, MAX_HOURS + 1)?, rows.waiting_events()?))
}

impl From<CorrectedHour> for CorrectedHourItem {
    fn from(found: CorrectedHour) -> Self {
        let CorrectedHour { hour_ms: hour, corrections, pairs, accepted, duplicate, rows_written } = found;
        Self { hour, corrections, pairs, accepted, duplicate, rows_written }
    }
}
