//! `GET /api/v1/live`.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::LiveFeed;
use super::kept::Totals;
use super::place::Place;
use super::readers::{CommitReader, Live, RowReader};
use crate::answer::Refusal;
use crate::labelled::Labelled;
use crate::parameters::Parameters;
use crate::query_string::QueryString;
use crate::schema;
use crate::values::Time;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The route, whose streams end once the token is cancelled.
pub(crate) fn routes() -> OpenApiRouter<(LiveFeed, CancellationToken)> {
    OpenApiRouter::new().routes(routes!(live))
}

/// What a reader wants to know.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LiveParameters {
    /// Of this client only.
    client_id: Option<String>,
    /// Of this target only.
    target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    to: Option<String>,
    /// With this diagnosis only.
    #[param(inline, value_type = Option<schema::Label>)]
    label: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    labelled: Vec<String>,
    /// `rows`, which is the default, or `commits`: only that something was committed, of which nothing is filtered out.
    #[param(inline, value_type = Option<schema::LiveDetail>)]
    detail: Option<String>,
    /// Goes on after this event, as the header `Last-Event-ID` does.
    last_event_id: Option<String>,
}

/// What is being committed, as server-sent events: `row`, a new or changed row; `commit`, that rows were committed, at
/// most four times a second (and where another process has); `incidents`, `{"items": [Incident], "as_of": ms}`, new and
/// changed incidents, whole but for `acknowledged` and `planned`, of which nothing is filtered out; `reset`, that something
/// can't be told any more: ask for it, and listen on; `lagged`, that this reader was too slow: its stream ends. Each event has
/// an id, after which a later request goes on by `Last-Event-ID`.
#[utoipa::path(get, path = "/api/v1/live",
    params(LiveParameters, ("Last-Event-ID" = Option<String>, Header, description = "Goes on after this event")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400, body = Refusal), (status = 503, body = Refusal)))]
async fn live(
    State((feed, stop)): State<(LiveFeed, CancellationToken)>,
    headers: HeaderMap,
    QueryString(parameters): QueryString<LiveParameters>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let LiveParameters { client_id, target, from, to, label, labelled, detail, last_event_id } = parameters;
    let wants_all = [&client_id, &target, &from, &to, &label].into_iter().all(Option::is_none) && labelled.is_empty();
    let filter = Parameters { client_id, target, from, to, label, labelled, ..Parameters::default() }.filter()?;
    let wants_rows = match detail.as_deref() {
        None | Some("rows") => true,
        Some("commits") if wants_all => false,
        Some("commits") => {
            let message =
                "detail=commits tells of all commits; leave out client_id, target, from, to, label and labelled";
            return Err(Refusal::invalid(message));
        }
        Some(_) => return Err(Refusal::invalid("detail must be rows or commits")),
    };
    // A header that is no text is no id of ours: from what came meanwhile nothing can be told.
    let after = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or_default().to_owned()).or(last_event_id);
    let too_many = || Refusal::unavailable("too many live readers; try again later, or ask for pages");
    let seat = feed.take_seat(wants_rows).ok_or_else(too_many)?;
    let events = match wants_rows {
        true => rows(RowReader::new(seat, filter, after.as_deref())),
        false => commits(CommitReader::new(seat, after.as_deref())),
    };
    let events = events.map(Ok).take_until(stop.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn rows(reader: RowReader) -> BoxStream<'static, Event> {
    let first = beginning(&reader.place());
    let following = stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let told = reader.next().await?;
        let has_lagged = matches!(told, Live::Lagged { .. });
        Some((event(&reader.place(), &told), (!has_lagged).then_some(reader)))
    });
    one(first).chain(following).boxed()
}

fn commits(reader: CommitReader) -> BoxStream<'static, Event> {
    let first = beginning(&reader.place());
    let following = stream::unfold(reader, |mut reader| async {
        let told = reader.next().await?;
        Some((event(&reader.place(), &told), reader))
    });
    one(first).chain(following).boxed()
}

fn one(event: Event) -> BoxStream<'static, Event> {
    stream::iter([event]).boxed()
}

/// Only an id, which a browser keeps and shows to nobody: who is cut off before the first event can go on, too.
fn beginning(place: &Place) -> Event {
    Event::default().id(place.to_string())
}

/// What is told, in one event.
fn event(place: &Place, told: &Live) -> Event {
    let (name, data) = match told {
        Live::Row(rows, index) => ("row", rows.text(*index)),
        Live::Commits { added: Totals { rows, events, elsewhere, as_of_ms } } => {
            let rows = if *elsewhere == 0 { json!(rows) } else { Value::Null };
            ("commit", json!({ "rows": rows, "as_of": as_of_ms, "events": events }).to_string().into())
        }
        Live::Incidents(changed) => ("incidents", changed.text().into()),
        Live::Lagged { missed } => ("lagged", json!({ "missed_commits": missed }).to_string().into()),
        Live::Reset => ("reset", "{}".into()),
    };
    Event::default().event(name).id(place.to_string()).data(data)
}
