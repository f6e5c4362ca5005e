//! `GET /api/v1/unmeasured`.

use axum::Json;
use axum::extract::State;
use netqoe_sinks::read::Pair;

use super::answer::UnmeasuredItem;
use super::parameters::UnmeasuredParameters;
use crate::answer::{Items, Refusal};
use crate::parameters::Cursor;
use crate::queries::{QueryApi, items};
use crate::query_string::QueryString;

/// Pairs that miss their rhythm, by client and target: each is listed for a day, or until it is measured again.
#[utoipa::path(get, path = "/api/v1/unmeasured", params(UnmeasuredParameters),
    responses((status = 200, body = Items<UnmeasuredItem>), (status = 400, body = Refusal), (status = 503, body = Refusal)))]
pub(super) async fn unmeasured(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<UnmeasuredParameters>,
) -> Result<Json<Items<UnmeasuredItem>>, Refusal> {
    let (filter, page) = (parameters.filter()?, parameters.page()?);
    let found = api.ask(move |store, _| Ok(store.incidents.unmeasured(&filter, &page)?)).await?;
    let place = |pair: &netqoe_model::Unmeasured| {
        Pair { client_id: pair.client_id.clone(), target: pair.target.clone() }.encode()
    };
    Ok(items(found, place, UnmeasuredItem::from))
}
