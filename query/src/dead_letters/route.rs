//! `GET /api/v1/dead-letters` and `POST /api/v1/dead-letters/{id}/replay`.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::DeadLettersError;
use super::answer::{LetterItem, LettersAnswer};
use crate::PipelineApi;
use crate::answer::Refusal;
use crate::query_string::QueryString;
use crate::values::Whole;

const DEFAULT_LIMIT: u16 = 50;
/// Each letter of a stream is a question to its server.
const MAX_LIMIT: u32 = 100;

/// How many items a page has.
type Limit = Whole<1, MAX_LIMIT>;

/// Looking at letters.
pub(crate) fn routes() -> OpenApiRouter<PipelineApi> {
    OpenApiRouter::new().routes(routes!(dead_letters))
}

/// Trying them again, for servers that only this machine reaches.
pub(crate) fn replay_route() -> OpenApiRouter<PipelineApi> {
    OpenApiRouter::new().routes(routes!(replay))
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageParameters {
    /// Items a page; 50 where absent.
    #[param(inline, value_type = Option<Limit>)]
    limit: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lines of the log that could not be counted, newest first.
#[utoipa::path(get, path = "/api/v1/dead-letters", params(PageParameters),
    responses((status = 200, body = LettersAnswer), (status = 400, body = Refusal),
        (status = 503, body = Refusal)))]
async fn dead_letters(
    State(api): State<PipelineApi>,
    QueryString(parameters): QueryString<PageParameters>,
) -> Result<Json<LettersAnswer>, Refusal> {
    let PageParameters { limit, cursor } = parameters;
    let limit = Limit::read("limit", limit.as_deref())?.unwrap_or(DEFAULT_LIMIT);
    let page = api.letters.page(cursor, limit.into()).await?;
    let page = page.ok_or_else(|| Refusal::invalid("cursor must be the next_cursor of an earlier answer"))?;
    Ok(Json(LettersAnswer {
        items: page.letters.into_iter().map(LetterItem::from).collect(),
        next_cursor: page.next,
        may_replay: api.may_replay,
        how_to_replay: api.letters.how_to_replay(),
    }))
}

/// That a letter is in the log again.
#[derive(Serialize, ToSchema)]
struct ReplayAnswer {
    /// Always true.
    replayed: bool,
}

/// Appends the original of a letter to the log again, and takes the letter away once that is durable. What still can't be
/// counted comes back as another letter. Only on a server that nobody but this machine reaches, and never for other sites.
#[utoipa::path(post, path = "/api/v1/dead-letters/{id}/replay", params(("id" = String, Path, description = "The letter's")),
    responses((status = 200, body = ReplayAnswer),
        (status = 404, description = "There is no such letter", body = Refusal),
        (status = 409, description = "It was not kept whole", body = Refusal), (status = 503, body = Refusal)))]
async fn replay(
    State(api): State<PipelineApi>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ReplayAnswer>, Refusal> {
    let is_replayed = match id {
        Ok(Path(id)) => api.letters.replay(id).await?,
        // What is no text is no id.
        Err(_) => false,
    };
    if !is_replayed {
        let message = "there is no such dead letter; it may have been replayed, or was too old to be kept";
        return Err(Refusal::not_found(message));
    }
    Ok(Json(ReplayAnswer { replayed: true }))
}

impl From<DeadLettersError> for Refusal {
    fn from(error: DeadLettersError) -> Self {
        match error {
            DeadLettersError::Cut(_) => Self::conflict(error.to_string()),
            DeadLettersError::NotHere(_) => Self::unavailable(error.to_string()),
            DeadLettersError::Unavailable(reason) => {
                tracing::error!("dead letters can't be used: {reason}");
                Self::unavailable("the dead letters can't be used now; see the server's log")
            }
        }
    }
}
