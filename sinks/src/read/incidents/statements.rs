//! The statements, which both stores take as they are.

use netqoe_model::{IncidentState, LogTime, MAX_TIME_MS};

use super::{IncidentFilter, IncidentQuery, MaintenancePosition, Paged, UnmeasuredFilter};
use crate::incident_columns::{INCIDENT_COLUMNS, REVISION_COLUMNS, of};
use crate::read::Pair;
use crate::read::labelled::{self, Dialect};
use crate::read::statement::{Statement, Value};

/// An incident, and when and by whom it was first acknowledged: two questions of one note, which no planner makes a join of all
/// notes of.
fn acknowledged_incidents() -> Statement {
    Statement::new(&format!(
        "SELECT {INCIDENT_COLUMNS},
            (SELECT written_at FROM incident_notes AS note WHERE note.incident = incidents.id AND acknowledges
             ORDER BY note.id LIMIT 1),
            (SELECT author FROM incident_notes AS note WHERE note.incident = incidents.id AND acknowledges
             ORDER BY note.id LIMIT 1)
         FROM incidents"
    ))
}

/// An incident with the last of its revisions before the first that is of a later log time, and who had acknowledged it by then. A
/// correction is of a log time that looks may not have come to: revisions of these looks follow it, and were not known before it.
fn incidents_as_of(then: LogTime, newest: Newest) -> Statement {
    let then = || [Value::Time(then.ms().clamp(0, MAX_TIME_MS))];
    let acknowledged = |column: &str| {
        format!(
            ", (SELECT {column} FROM incident_notes AS note WHERE note.incident = incidents.id AND acknowledges
                AND note.written_at <= ? ORDER BY note.id LIMIT 1)"
        )
    };
    Statement::new(&format!("SELECT {}", of("incidents", INCIDENT_COLUMNS)))
        .add(&acknowledged("written_at"), then())
        .add(&acknowledged("author"), then())
        .add(&format!(", {}, known.incident_json", of("known", REVISION_COLUMNS)), [])
        .add("FROM incidents", [])
        .add(newest.begins, [])
        .add("WHERE told.incident = incidents.id AND told.revision < coalesce((SELECT min(later.revision)", [])
        .add("FROM incident_revisions AS later WHERE later.incident = incidents.id AND later.at > ?),", then())
        .add(&format!("{})", i64::MAX), [])
        .add(newest.ends, [])
}

/// How a store finds one revision of each incident, by an index and not by a join of all.
#[derive(Clone, Copy)]
pub(in crate::read) struct Newest {
    begins: &'static str,
    ends: &'static str,
}

impl Newest {
    /// By its number.
    pub(in crate::read) const BY_KEY: Self = Self {
        begins: "JOIN incident_revisions AS known ON known.incident = incidents.id AND known.revision = (
            SELECT max(told.revision) FROM incident_revisions AS told",
        ends: ")",
    };
    /// One at a time, which keeps PostgreSQL's planner from joining all revisions.
    pub(in crate::read) const LATERAL: Self = Self {
        begins: "JOIN LATERAL (SELECT told.* FROM incident_revisions AS told",
        ends: "ORDER BY told.revision DESC LIMIT 1) AS known ON true",
    };
}

pub(in crate::read) fn incidents_then(
    query: &IncidentQuery,
    then: LogTime,
    newest: Newest,
    dialect: Dialect,
) -> Statement {
    let IncidentQuery { filter, page } = query;
    let before_ms = filter.to_ms.unwrap_or(MAX_TIME_MS).min(then.ms().saturating_add(1));
    let state = |state: IncidentState| text(state.as_str());
    let from = filter.from_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    let statement = incidents_as_of(then, newest)
        .add("WHERE incidents.opened < ?", [Value::Time(before_ms.clamp(0, MAX_TIME_MS))])
        .add_some(&format!("AND {STATE_THEN} = ?"), filter.state.map(state))
        .add_some(&format!("AND {STATE_THEN} <> ?"), filter.without_withdrawn.then(|| state(IncidentState::Withdrawn)))
        .add_some("AND coalesce(known.label, incidents.label) = ?", filter.label.map(|label| text(label.as_str())))
        .add_some("AND known.severity = ?", filter.severity.map(|severity| text(severity.as_str())))
        .add_some(
            "AND known.cause_dimension = ?",
            filter.dimension.as_ref().map(|dimension| text(&dimension.to_string())),
        )
        .add_some(&format!("AND ({STATE_THEN} = 'open' OR coalesce(known.closed, incidents.closed) > ?)"), from);
    let statement = match filter.names() == [&None, &None] && filter.tags.is_empty() {
        true => statement,
        false => statement
            .add("AND EXISTS (SELECT 1 FROM incident_members AS member WHERE member.incident = incidents.id", [])
            .add_some("AND member.client_id = ?", filter.client_id.clone())
            .add_some("AND member.target = ?", filter.target.clone())
            .nest(labelled::of_window(&filter.tags, dialect, "member", "since"))
            .add("AND member.since <= ? LIMIT 1 OFFSET 0)", [Value::Time(then.ms().clamp(0, MAX_TIME_MS))]),
    };
    let statement = match &page.after {
        None => statement,
        Some(after) => statement.add(
            "AND (incidents.opened, incidents.id) < (?, ?)",
            [Value::Time(after.opened.ms()), Value::Text(after.id.clone())],
        ),
    };
    statement.add("ORDER BY incidents.opened DESC, incidents.id DESC LIMIT ?", [page.fetch_limit()])
}

/// Where an incident stood after a revision; those of a netqoe that corrected nothing do not say it.
const STATE_THEN: &str = "coalesce(known.state, CASE known.change WHEN 'closed' THEN 'closed' WHEN 'withdrawn' THEN 'withdrawn' ELSE 'open' END)";

pub(in crate::read) fn incident_then(id: &str, then: LogTime, newest: Newest) -> Statement {
    incidents_as_of(then, newest).add("WHERE incidents.id = ?", [text(id)])
}

/// Severities as numbers, the gravest first.
const GRAVEST_FIRST: &str = "ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'major' THEN 1 ELSE 2 END,
    degraded_now DESC, opened, incidents.id";

pub(in crate::read) fn incidents(query: &IncidentQuery, dialect: Dialect) -> Statement {
    let statement = filtered(acknowledged_incidents(), &query.filter, dialect);
    let statement = match &query.page.after {
        None => statement,
        Some(after) => statement.add(
            "AND (opened, incidents.id) < (?, ?)",
            [Value::Time(after.opened.ms()), Value::Text(after.id.clone())],
        ),
    };
    statement.add("ORDER BY opened DESC, incidents.id DESC LIMIT ?", [query.page.fetch_limit()])
}

pub(in crate::read) fn incident(id: &str) -> Statement {
    acknowledged_incidents().add("WHERE incidents.id = ?", [text(id)])
}

pub(in crate::read) fn gravest(filter: &IncidentFilter, limit: u16, dialect: Dialect) -> Statement {
    filtered(acknowledged_incidents(), filter, dialect)
        .add(GRAVEST_FIRST, [])
        .add("LIMIT ?", [Value::Count(limit.into())])
}

pub(in crate::read) fn count(filter: &IncidentFilter, dialect: Dialect) -> Statement {
    filtered(Statement::new("SELECT count(*) FROM incidents"), filter, dialect)
}

/// States are written out: an index that holds the incidents of one state serves no statement that leaves it open which.
fn filtered(statement: Statement, filter: &IncidentFilter, dialect: Dialect) -> Statement {
    let statement = statement.add("WHERE opened < ?", [filter.before()]);
    let statement = match filter.state {
        None => statement,
        Some(state) => statement.add(&format!("AND state = '{}'", state.as_str()), []),
    };
    let statement = match filter.without_withdrawn {
        false => statement,
        true => statement.add(&format!("AND state <> '{}'", IncidentState::Withdrawn.as_str()), []),
    };
    let from = filter.from_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    let statement = statement
        .add_some("AND label = ?", filter.label.map(|label| text(label.as_str())))
        .add_some("AND severity = ?", filter.severity.map(|severity| text(severity.as_str())))
        .add_some("AND cause_dimension = ?", filter.dimension.as_ref().map(|dimension| text(&dimension.to_string())))
        .add_some("AND (closed IS NULL OR closed > ?)", from);
    if filter.names() == [&None, &None] && filter.tags.is_empty() {
        return statement;
    }
    // The offset keeps PostgreSQL's planner from joining all members: each incident is looked up by itself.
    statement
        .add("AND EXISTS (SELECT 1 FROM incident_members AS member WHERE member.incident = incidents.id", [])
        .add_some("AND member.client_id = ?", filter.client_id.clone())
        .add_some("AND member.target = ?", filter.target.clone())
        .nest(labelled::of_window(&filter.tags, dialect, "member", "since"))
        .add("LIMIT 1 OFFSET 0)", [])
}

pub(in crate::read) fn revisions(id: &str, limit: u16) -> Statement {
    Statement::new(&format!("SELECT {REVISION_COLUMNS} FROM incident_revisions"))
        .add("WHERE incident = ? ORDER BY revision DESC LIMIT ?", [text(id), Value::Count(limit.into())])
}

pub(in crate::read) fn notes(id: &str, limit: u16) -> Statement {
    Statement::new("SELECT id, written_at, author, acknowledges, text FROM incident_notes")
        .add("WHERE incident = ? ORDER BY id DESC LIMIT ?", [text(id), Value::Count(limit.into())])
}

pub(in crate::read) fn members(id: &str, page: &Paged<Pair>) -> Statement {
    let statement = Statement::new("SELECT client_id, target, since, until, severity FROM incident_members")
        .add("WHERE incident = ?", [text(id)]);
    after(statement, page)
}

pub(in crate::read) fn last_closed(until: Option<LogTime>) -> Statement {
    let closed = IncidentState::Closed.as_str();
    let until_ms = until.map_or(MAX_TIME_MS, LogTime::ms).clamp(0, MAX_TIME_MS);
    Statement::new(&format!("SELECT closed FROM incidents WHERE state = '{closed}'"))
        .add("AND closed <= ? ORDER BY closed DESC LIMIT 1", [Value::Time(until_ms)])
}

pub(in crate::read) fn unmeasured(filter: &UnmeasuredFilter, page: &Paged<Pair>, dialect: Dialect) -> Statement {
    let statement = Statement::new("SELECT client_id, target, last, rhythm_ms, isp, site FROM unmeasured WHERE true")
        .add_some("AND client_id = ?", filter.client_id.clone())
        .add_some("AND target = ?", filter.target.clone())
        .nest(labelled::of_window(&filter.tags, dialect, "unmeasured", "last"));
    after(statement, page)
}

pub(in crate::read) fn tally() -> Statement {
    Statement::new("SELECT through, degraded, healthy, unjudged, unmeasured FROM fleet")
}

pub(in crate::read) fn maintenance(page: &Paged<MaintenancePosition>) -> Statement {
    let statement = Statement::new(MAINTENANCE).add("WHERE true", []);
    let statement = match page.after {
        None => statement,
        Some(MaintenancePosition { from_ms, id }) => {
            statement.add("AND (from_ts, id) < (?, ?)", [Value::Time(from_ms), Value::Count(id)])
        }
    };
    statement.add("ORDER BY from_ts DESC, id DESC LIMIT ?", [page.fetch_limit()])
}

pub(in crate::read) fn maintenance_within([from_ms, to_ms]: [i64; 2], limit: u16) -> Statement {
    Statement::new(MAINTENANCE)
        .add("WHERE to_ts > ? AND from_ts < ?", [Value::Time(from_ms), Value::Time(to_ms)])
        .add("ORDER BY to_ts DESC, id DESC LIMIT ?", [Value::Count(limit.into())])
}

const MAINTENANCE: &str = "SELECT id, from_ts, to_ts, cause_dimension, cause_value, author, text, written_at
    FROM maintenance_windows";

/// The rows after a pair, by client and target.
fn after(statement: Statement, page: &Paged<Pair>) -> Statement {
    let statement = match &page.after {
        None => statement,
        Some(Pair { client_id, target }) => {
            statement.add("AND (client_id, target) > (?, ?)", [text(client_id), text(target)])
        }
    };
    statement.add("ORDER BY client_id, target LIMIT ?", [page.fetch_limit()])
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
