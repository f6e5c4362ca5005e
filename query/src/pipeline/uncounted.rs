//! `GET /api/v1/uncounted`: events that were sent and that no row counts.

use axum::Json;
use axum::extract::State;
use netqoe_model::{LastLeftOut, LeftOut, ReasonCount, Uncounted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::PipelineApi;
use crate::answer::Refusal;
use crate::query_string::QueryString;
use crate::schema;
use crate::values::Time;

/// What a process knows of events that are not counted.
#[derive(Clone)]
pub struct UncountedEvents {
    /// What it has noted.
    pub noted: Uncounted,
    /// Whether ingest notes what it refuses there. If it is another process, it does not.
    pub has_refused: bool,
    /// Whether all partitions of the log are this process's.
    pub has_all_partitions: bool,
}

/// Which part of the time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UncountedParameters {
    /// Left out at or after the minute of this time: Unix milliseconds or RFC 3339; as far back as is known where absent.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Left out before this time, in whole minutes: Unix milliseconds or RFC 3339; until now where absent.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
}

/// Events of a range that no row counts, by reason.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UncountedAnswer {
    /// The most frequent reason first.
    items: Vec<UncountedItem>,
    /// Since when this process has counted them, Unix milliseconds: since it was started, or for a day with such events in each of
    /// its minutes. Null where it does not count them, as a server that only reads a store.
    #[schema(required)]
    counted_since: Option<i64>,
    /// Whether events that ingest has refused are among them. If not, ingest is another process: its `/metrics` have
    /// `telemetry_ingest_refused_total`.
    counts_refused: bool,
    /// Whether those of all partitions are among them; if not, of this process's only.
    counts_all_partitions: bool,
}

/// Events that were left out for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct UncountedItem {
    #[schema(value_type = schema::LeftOut)]
    left_out: &'static str,
    /// The code that ingest has refused them with; else as `left_out`.
    reason: &'static str,
    /// How many. A request to ingest in which no events were found counts as one.
    count: u64,
    last: LastUncounted,
}

/// The last event that was left out for a reason. What it holds is as others have sent it, cut where it is long.
#[derive(Debug, Serialize, ToSchema)]
struct LastUncounted {
    /// When it was left out, Unix milliseconds.
    at: i64,
    /// Null where the event does not say, or was not found.
    #[schema(required)]
    client_id: Option<Box<str>>,
    /// Null where the event does not say, or was not found.
    #[schema(required)]
    target: Option<Box<str>>,
    /// What was wrong with it.
    message: Box<str>,
}

/// Events that were sent and that no row counts: what ingest has refused, what came after its window was closed, what can't be
/// read. By reason, with the last of each.
///
/// They are counted by minute in the memory of the process that answers: `counted_since` says since when.
#[utoipa::path(get, path = "/api/v1/uncounted", params(UncountedParameters),
    responses((status = 200, body = UncountedAnswer), (status = 400, body = Refusal)))]
pub(super) async fn uncounted(
    State(api): State<PipelineApi>,
    QueryString(parameters): QueryString<UncountedParameters>,
) -> Result<Json<UncountedAnswer>, Refusal> {
    let UncountedParameters { from, to } = parameters;
    let from_ms = from.as_deref().map_or(Ok(i64::MIN), |text| Time::read("from", text))?;
    let to_ms = to.as_deref().map_or(Ok(i64::MAX), |text| Time::read("to", text))?;
    Ok(Json(match &api.uncounted {
        Some(events) => UncountedAnswer::of(events, from_ms, to_ms),
        None => UncountedAnswer::unknown(),
    }))
}

impl UncountedAnswer {
    fn of(events: &UncountedEvents, from_ms: i64, to_ms: i64) -> Self {
        let found = events.noted.within(from_ms..to_ms);
        Self {
            items: found.reasons.into_iter().map(UncountedItem::from).collect(),
            counted_since: Some(found.counted_since_ms),
            counts_refused: events.has_refused,
            counts_all_partitions: events.has_all_partitions,
        }
    }

    fn unknown() -> Self {
        Self { items: Vec::new(), counted_since: None, counts_refused: false, counts_all_partitions: false }
    }
}

impl From<ReasonCount> for UncountedItem {
    fn from(ReasonCount { left_out, reason, count, last }: ReasonCount) -> Self {
        let LastLeftOut { at_ms: at, client_id, target, message } = last;
        let left_out = match left_out {
            LeftOut::Refused => "refused",
            LeftOut::Late => "late",
            LeftOut::Unreadable => "unreadable",
        };
        Self { left_out, reason, count, last: LastUncounted { at, client_id, target, message } }
    }
}
