//! `GET /api/v1/incidents`, one of them, and its pairs.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use netqoe_model::IncidentMember;
use netqoe_sinks::MAX_NOTES;
use netqoe_sinks::read::{Pair, Snapshot};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{IncidentDetail, IncidentItem, MemberItem};
use super::parameters::{AsOfParameters, IncidentParameters, PageParameters};
use super::{Planned, unmeasured, written};
use crate::answer::{Items, Refusal};
use crate::parameters::Cursor;
use crate::queries::{QueryApi, items};
use crate::query_string::QueryString;

/// What changed of an incident, as far as it is shown: the rest is older than anybody reads.
const MAX_REVISIONS: u16 = 500;

pub(crate) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new()
        .routes(routes!(incidents))
        .routes(routes!(incident))
        .routes(routes!(pairs))
        .routes(routes!(unmeasured::unmeasured))
        .merge(written::routes())
}

/// Incidents, those that opened last first. Between `from` and `to` are those that were going on then. With `as_of`, each is as its
/// newest revision by then says.
#[utoipa::path(get, path = "/api/v1/incidents", params(IncidentParameters),
    responses((status = 200, body = Items<IncidentItem>), (status = 400, body = Refusal), (status = 503, body = Refusal)))]
async fn incidents(
    State(api): State<QueryApi>,
    QueryString(parameters): QueryString<IncidentParameters>,
) -> Result<Json<Items<IncidentItem>>, Refusal> {
    let (as_of, query) = (parameters.as_of()?, parameters.query()?);
    let read = move |store: Snapshot<'_>, _: &_| {
        let page = match as_of {
            None => store.incidents.incidents(&query)?,
            Some(then) => store.incidents.incidents_then(&query, then)?,
        };
        let planned = Planned::of(store.incidents, &page.items)?;
        Ok((page, planned))
    };
    let (page, planned) = api.ask(read).await?;
    Ok(items(page, |record| record.position().encode(), |record| IncidentItem::of(record, &planned)))
}

/// One incident, what changed of it, and what people say of it; with `as_of`, what was known and said by then.
#[utoipa::path(get, path = "/api/v1/incidents/{id}",
    params(("id" = String, Path, description = "The incident's"), AsOfParameters),
    responses((status = 200, body = IncidentDetail), (status = 400, body = Refusal),
        (status = 404, description = "There is no such incident", body = Refusal), (status = 503, body = Refusal)))]
async fn incident(
    State(api): State<QueryApi>,
    id: Result<Path<String>, PathRejection>,
    QueryString(parameters): QueryString<AsOfParameters>,
) -> Result<Json<IncidentDetail>, Refusal> {
    let (id, as_of) = (id_of(id)?, parameters.as_of()?);
    let read = move |store: Snapshot<'_>, _: &_| {
        let record = match as_of {
            None => store.incidents.incident(&id)?,
            Some(then) => store.incidents.incident_then(&id, then)?,
        };
        let record = record.ok_or_else(no_such_incident)?;
        let planned = Planned::of(store.incidents, std::slice::from_ref(&record))?;
        let mut revisions = store.incidents.revisions(&id, MAX_REVISIONS)?;
        revisions.retain(|revision| revision.revision <= record.incident.revision);
        let mut notes = store.incidents.notes(&id, MAX_NOTES)?;
        notes.retain(|note| as_of.is_none_or(|then| note.at_ms <= then.ms()));
        Ok(IncidentDetail {
            incident: IncidentItem::of(record, &planned),
            revisions: revisions.into_iter().rev().map(Into::into).collect(),
            notes: notes.into_iter().rev().map(Into::into).collect(),
        })
    };
    api.ask(read).await.map(Json)
}

/// The pairs that have had an incident's label while it was open, by client and target.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/pairs",
    params(("id" = String, Path, description = "The incident's"), PageParameters),
    responses((status = 200, body = Items<MemberItem>), (status = 400, body = Refusal),
        (status = 404, description = "There is no such incident", body = Refusal), (status = 503, body = Refusal)))]
async fn pairs(
    State(api): State<QueryApi>,
    id: Result<Path<String>, PathRejection>,
    QueryString(parameters): QueryString<PageParameters>,
) -> Result<Json<Items<MemberItem>>, Refusal> {
    let (id, page) = (id_of(id)?, parameters.page::<Pair>()?);
    let read = move |store: Snapshot<'_>, _: &_| {
        let incident = store.incidents.incident(&id)?.ok_or_else(no_such_incident)?.incident;
        let mut members = store.incidents.members(&id, &page)?;
        for member in &mut members.items {
            // One that still has the label has it for as long as there is evidence.
            member.until.get_or_insert(incident.last.max(member.since));
        }
        Ok(members)
    };
    let place =
        |member: &IncidentMember| Pair { client_id: member.client_id.clone(), target: member.target.clone() }.encode();
    Ok(items(api.ask(read).await?, place, MemberItem::from))
}

/// What is no text is no id.
pub(super) fn id_of(id: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    id.map(|Path(id)| id).map_err(|_| no_such_incident())
}

pub(super) fn no_such_incident() -> Refusal {
    Refusal::not_found("there is no such incident; GET /api/v1/incidents lists all of them")
}
