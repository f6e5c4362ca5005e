use std::time::SystemTime;

use postgres::types::Type;
use postgres::{IsolationLevel, Row, Transaction};

use super::{ListedIncident, ListedRange, OnIncident, cause_value};
use crate::StoreError;
use crate::postgres::link::Link;
use crate::postgres::window::{timestamptz, unix_ms};
use crate::postgres::{Failure, PostgresOptions};

/// Incidents that are read at once, without their members.
const PAGE: i64 = 200;

const INCIDENTS: &str =
    "SELECT id, label, cause_dimension, cause_value, opened, detected, named, closed, severity, state
    FROM incidents
    WHERE ($1 IS NULL OR closed IS NULL OR closed > $1) AND ($2 IS NULL OR opened < $2)
      AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR (opened, id) > ($4, $5))
    ORDER BY opened, id LIMIT $6";

const MEMBERS: &str = "SELECT client_id, target FROM incident_members WHERE incident = $1 ORDER BY client_id, target";

pub(super) fn list<E: From<StoreError>>(
    url: &str,
    options: &PostgresOptions,
    range: &ListedRange,
    each: OnIncident<'_, E>,
) -> Result<(), E> {
    const DOING: &str = "list its incidents";
    let mut link = Link::connect(url, options)?;
    let store = link.name().to_owned();
    // A connection of its own, so that the link can say what is wrong with it.
    let mut client = link.another().map_err(|error| link.error(DOING, error.into()))?;
    let snapshot = client.build_transaction().read_only(true).isolation_level(IsolationLevel::RepeatableRead).start();
    let mut snapshot = snapshot.map_err(|error| link.error(DOING, error.into()))?;
    let mut last = None;
    loop {
        let page = page(&mut snapshot, &store, range, last.as_ref()).map_err(|failure| link.error(DOING, failure))?;
        let Some(newest) = page.last() else { return Ok(()) };
        last = Some((timestamptz(newest.opened_ms), newest.id.clone()));
        for mut incident in page {
            incident.members = members(&mut snapshot, &incident.id).map_err(|failure| link.error(DOING, failure))?;
            each(incident)?;
        }
    }
}

/// The next incidents, without their members.
fn page(
    snapshot: &mut Transaction<'_>,
    store: &str,
    range: &ListedRange,
    last: Option<&(SystemTime, String)>,
) -> Result<Vec<ListedIncident>, Failure> {
    let [from, to] = [range.from_ms, range.to_ms].map(|ms| ms.map(timestamptz));
    let state = range.state.map(netqoe_model::IncidentState::as_str);
    let (after, after_id) = (last.map(|(opened, _)| *opened), last.map(|(_, id)| id));
    let rows = snapshot.query_typed(
        INCIDENTS,
        &[
            (&from, Type::TIMESTAMPTZ),
            (&to, Type::TIMESTAMPTZ),
            (&state, Type::TEXT),
            (&after, Type::TIMESTAMPTZ),
            (&after_id, Type::TEXT),
            (&PAGE, Type::INT8),
        ],
    )?;
    rows.iter().map(|row| read(row, store)).collect()
}

fn read(row: &Row, store: &str) -> Result<ListedIncident, Failure> {
    let ms = |column| row.try_get::<_, SystemTime>(column).map(unix_ms);
    Ok(ListedIncident {
        id: row.try_get(0)?,
        label: row.try_get(1)?,
        cause_dimension: row.try_get(2)?,
        cause_value: cause_value(store, row.try_get(3)?)?,
        opened_ms: ms(4)?,
        detected_ms: ms(5)?,
        named_ms: ms(6)?,
        closed_ms: row.try_get::<_, Option<SystemTime>>(7)?.map(unix_ms),
        severity: row.try_get(8)?,
        state: row.try_get(9)?,
        members: Vec::new(),
    })
}

fn members(snapshot: &mut Transaction<'_>, incident: &str) -> Result<Vec<(String, String)>, Failure> {
    let rows = snapshot.query_typed(MEMBERS, &[(&incident, Type::TEXT)])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
