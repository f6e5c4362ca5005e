//! What people write: notes on incidents, and maintenance windows.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use netqoe_model::{Cause, DimensionName, MAX_TARGET_BYTES, MAX_TIME_MS, MaintenanceWindow};
use netqoe_sinks::read::MaintenancePosition;
use netqoe_sinks::{AnnotationError, NewMaintenanceWindow, NewNote};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{CauseItem, NoteItem};
use super::document;
use super::parameters::PageParameters;
use super::route::id_of;
use crate::answer::{Items, Refusal};
use crate::parameters::Cursor;
use crate::queries::{QueryApi, items};
use crate::query_string::QueryString;

/// Longest text, in bytes: a page of prose.
pub(super) const MAX_TEXT_BYTES: usize = 4 << 10;
/// Longest name of an author, in bytes.
pub(super) const MAX_AUTHOR_BYTES: usize = 128;
/// Longest body, in bytes: a text of which JSON escapes each byte, and the rest.
const MAX_BODY_BYTES: usize = 32 << 10;
/// Who it was, where nobody says so.
const UNKNOWN: &str = "unknown";

pub(super) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new()
        .routes(routes!(add_note))
        .routes(routes!(maintenance, add_maintenance))
        .routes(routes!(remove_maintenance))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// A note that is to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNoteBody {
    /// What it says, 4 KiB at most. May be absent where the note acknowledges.
    #[serde(default)]
    #[schema(value_type = document::Prose)]
    text: String,
    /// Who writes it, 128 bytes at most; `unknown` where absent.
    #[serde(default)]
    #[schema(value_type = Option<document::Author>)]
    by: Option<String>,
    /// Whether the author takes the incident up. The first such note counts.
    #[serde(default)]
    acknowledges: bool,
}

/// Keeps a note on an incident, and with `acknowledges`, that its author has taken the incident up. No replay removes it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", params(("id" = String, Path, description = "The incident's")),
    request_body = NewNoteBody,
    responses((status = 201, body = NoteItem), (status = 400, body = Refusal),
        (status = 404, description = "There is no such incident", body = Refusal),
        (status = 409, description = "It has as many notes as it may have", body = Refusal),
        (status = 413, body = Refusal), (status = 503, body = Refusal)))]
async fn add_note(
    State(api): State<QueryApi>,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<NewNoteBody>, JsonRejection>,
) -> Result<(StatusCode, Json<NoteItem>), Refusal> {
    let incident = id_of(id)?;
    let NewNoteBody { text, by, acknowledges } = read(body)?;
    let text = said(&text)?;
    if text.is_empty() && !acknowledges {
        return Err(Refusal::invalid("an empty note says nothing; give it a text, or let it acknowledge"));
    }
    let note = NewNote { incident, at_ms: api.now_ms(), by: author(by.as_deref())?, acknowledges, text };
    let note = api.write(move |annotations| annotations.add_note(note)).await?;
    Ok((StatusCode::CREATED, Json(note.into())))
}

/// A planned fault that is to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMaintenanceBody {
    /// Its first millisecond, Unix time.
    #[schema(value_type = document::PlannedTime)]
    from: i64,
    /// Its end, exclusive, Unix time in milliseconds: after `from`.
    #[schema(value_type = document::PlannedTime)]
    to: i64,
    #[schema(value_type = document::NewCause)]
    cause: NewCause,
    /// What is planned, 4 KiB at most.
    #[schema(value_type = document::Prose)]
    text: String,
    /// Who announces it, 128 bytes at most; `unknown` where absent.
    #[serde(default)]
    #[schema(value_type = Option<document::Author>)]
    by: Option<String>,
}

/// What is worked on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCause {
    dimension: String,
    /// Two texts where two dimensions are joined, none for `everything`, otherwise one.
    value: Vec<String>,
}

/// A time for which people expect a fault. Incidents of its cause that lie within it are kept, and nobody is notified of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MaintenanceWindow)]
struct MaintenanceItem {
    id: i64,
    /// Its first millisecond, Unix time.
    from: i64,
    /// Its end, exclusive, Unix time in milliseconds.
    to: i64,
    cause: CauseItem,
    /// What is planned.
    text: String,
    /// Who has announced it.
    by: String,
    /// When it was announced, Unix milliseconds.
    at: i64,
}

impl From<MaintenanceWindow> for MaintenanceItem {
    fn from(window: MaintenanceWindow) -> Self {
        Self {
            id: window.id,
            from: window.from_ms,
            to: window.to_ms,
            cause: (&window.cause).into(),
            text: window.text.to_string(),
            by: window.author.to_string(),
            at: window.written_at_ms,
        }
    }
}

/// Maintenance windows, those that begin last first.
#[utoipa::path(get, path = "/api/v1/maintenance", params(PageParameters),
    responses((status = 200, body = Items<MaintenanceItem>), (status = 400, body = Refusal), (status = 503, body = Refusal)))]
async fn maintenance(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<PageParameters>,
) -> Result<Json<Items<MaintenanceItem>>, Refusal> {
    let page = parameters.page()?;
    let found = api.ask(move |store, _| Ok(store.incidents.maintenance(&page)?)).await?;
    let place = |window: &MaintenanceWindow| MaintenancePosition { from_ms: window.from_ms, id: window.id }.encode();
    Ok(items(found, place, MaintenanceItem::from))
}

/// Announces a planned fault. A window for a target also holds for that target as one provider sees it, and one for
/// `everything` for all.
#[utoipa::path(post, path = "/api/v1/maintenance", request_body = NewMaintenanceBody,
    responses((status = 201, body = MaintenanceItem), (status = 400, body = Refusal),
        (status = 409, description = "As many windows are announced as may be", body = Refusal),
        (status = 413, body = Refusal), (status = 503, body = Refusal)))]
async fn add_maintenance(
    State(api): State<QueryApi>,
    body: Result<Json<NewMaintenanceBody>, JsonRejection>,
) -> Result<(StatusCode, Json<MaintenanceItem>), Refusal> {
    let NewMaintenanceBody { from, to, cause, text, by } = read(body)?;
    if !(0..=MAX_TIME_MS).contains(&from) || !(0..=MAX_TIME_MS).contains(&to) || from >= to {
        return Err(Refusal::invalid("from and to must be Unix milliseconds, from before to"));
    }
    let (cause, text, by) = (cause.parse()?, said(&text)?, author(by.as_deref())?);
    let planned = NewMaintenanceWindow { from_ms: from, to_ms: to, cause, by, text, at_ms: api.now_ms() };
    let window = api.write(move |annotations| annotations.add_maintenance(planned)).await?;
    Ok((StatusCode::CREATED, Json(window.into())))
}

/// Takes a maintenance window back.
#[utoipa::path(delete, path = "/api/v1/maintenance/{id}", params(("id" = i64, Path, description = "The window's")),
    responses((status = 204),
        (status = 404, description = "There is no such window", body = Refusal), (status = 503, body = Refusal)))]
async fn remove_maintenance(
    State(api): State<QueryApi>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<StatusCode, Refusal> {
    let is_removed = match id {
        Ok(Path(id)) => api.write(move |annotations| annotations.remove_maintenance(id)).await?,
        // What is no number is no id.
        Err(_) => false,
    };
    let message = "there is no such maintenance window; GET /api/v1/maintenance lists all of them";
    if is_removed { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found(message)) }
}

impl NewCause {
    fn parse(self) -> Result<Cause, Refusal> {
        let dimension = DimensionName::parse(&self.dimension)
            .ok_or_else(|| Refusal::invalid(format!("cause.dimension must be one of {}", DimensionName::all())))?;
        let texts = dimension.texts();
        if self.value.len() != texts {
            let message = format!("cause.value of {dimension} must be a list of {texts} texts");
            return Err(Refusal::invalid(message));
        }
        let is_name = |text: &String| (1..=MAX_TARGET_BYTES).contains(&text.len()) && !text.contains('\0');
        if !self.value.iter().all(is_name) {
            let message = format!("each text of cause.value must have 1 to {MAX_TARGET_BYTES} bytes, none of them 0");
            return Err(Refusal::invalid(message));
        }
        Ok(dimension.with(self.value.into_iter().map(Arc::from)))
    }
}

/// The body, or what is wrong with it.
fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    body.map(|Json(body)| body).map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(format!("the body is longer than {MAX_BODY_BYTES} bytes")),
        _ => Refusal::invalid(format!("the body is not understood: {}", rejection.body_text())),
    })
}

/// What a person says, without spaces around it.
fn said(text: &str) -> Result<String, Refusal> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Refusal::invalid(format!("text has {} bytes; {MAX_TEXT_BYTES} are allowed", text.len())));
    }
    let is_text = |char: char| !char.is_control() || matches!(char, '\n' | '\r' | '\t');
    if !text.chars().all(is_text) {
        return Err(Refusal::invalid("text must not hold control characters other than line ends and tabs"));
    }
    Ok(text.trim().to_owned())
}

/// Who says it.
fn author(by: Option<&str>) -> Result<String, Refusal> {
    let by = by.unwrap_or_default();
    if by.len() > MAX_AUTHOR_BYTES {
        return Err(Refusal::invalid(format!("by has {} bytes; {MAX_AUTHOR_BYTES} are allowed", by.len())));
    }
    if by.chars().any(char::is_control) {
        return Err(Refusal::invalid("by must not hold control characters"));
    }
    Ok(Some(by.trim()).filter(|by| !by.is_empty()).unwrap_or(UNKNOWN).to_owned())
}

impl From<AnnotationError> for Refusal {
    fn from(error: AnnotationError) -> Self {
        match error {
            AnnotationError::NoSuchIncident => super::route::no_such_incident(),
            AnnotationError::TooMany { .. } => Self::conflict(error.to_string()),
            AnnotationError::Store(error) if error.may_pass() => {
                tracing::warn!("what a person wrote was not kept: {error}");
                Self::unavailable(format!("it was not kept: the store {}", error.without_place()))
            }
            AnnotationError::Store(error) => {
                tracing::error!("what a person wrote was not kept: {error}");
                Self::unavailable("it was not kept: the store can't be written; see the server's log")
            }
        }
    }
}
