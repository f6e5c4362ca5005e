//! Which pairs there are. There is no table of them: each is one seek from the one before it.

use super::keys::in_months;
use crate::read::Extent;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;

/// The table expression `pair(client_id, target)`: every client, or this one, with a target that comes after that one.
pub(super) fn of_target(target: &str, after: &str, client_id: Option<&String>) -> Statement {
    let target = || target.to_owned().into();
    Statement::new("pair(client_id, target) AS (SELECT client_id,")
        .add(
            "?::text COLLATE \"C\" FROM clients WHERE ? > ? COLLATE \"C\"",
            [target(), target(), after.to_owned().into()],
        )
        .add_some("AND client_id = ?", client_id.cloned())
        .add(")", [])
}

/// The same, with every target after that one, and a null behind the last of each client.
pub(super) fn after(target: &str, client_id: Option<&String>, times_ms: [i64; 2]) -> Statement {
    let next = |client: &str| {
        Statement::new("(SELECT target FROM agg_1m WHERE agg_1m.client_id =")
            .add(client, [])
            .nest(in_months(KeyedTable::Aggregates, times_ms))
    };
    Statement::new("pair(client_id, target) AS (SELECT client_id,")
        .nest(next("clients.client_id"))
        .add("AND target > ? ORDER BY target LIMIT 1) FROM clients WHERE true", [target.to_owned().into()])
        .add_some("AND client_id = ?", client_id.cloned())
        .add("UNION ALL SELECT client_id,", [])
        .nest(next("pair.client_id"))
        .add("AND target > pair.target ORDER BY target LIMIT 1) FROM pair WHERE pair.target IS NOT NULL)", [])
}

/// The pairs that an extent may have rows of.
pub(super) fn within(extent: &Extent) -> Statement {
    // No target is empty: all come after it.
    match &extent.target {
        Some(target) => of_target(target, "", extent.client_id.as_ref()),
        None => after("", extent.client_id.as_ref(), extent.times_ms()),
    }
}
