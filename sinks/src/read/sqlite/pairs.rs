//! Which pairs there are. There is no table of them: each is one seek from the one before it.

use rusqlite::Connection;

use super::execute::rows;
use crate::read::Names;
use crate::read::statement::Statement;
use crate::read::{Extent, Pair};

/// Each client's targets after a given one, in order, then a null.
const NEXT_TARGET: &str = "UNION ALL
    SELECT client_id, (SELECT min(target) FROM agg_1m WHERE agg_1m.client_id = pair.client_id AND target > pair.target)
    FROM pair WHERE pair.target IS NOT NULL)";

/// The table expression `pair(client_id, target)`: every pair whose target comes after this one, of one client or of all.
pub(super) fn after(target: String, client_id: Option<&String>) -> Statement {
    Statement::new("WITH RECURSIVE pair(client_id, target) AS (SELECT client_id,")
        .add(
            "(SELECT min(target) FROM agg_1m WHERE agg_1m.client_id = clients.client_id AND target > ?)",
            [target.into()],
        )
        .add("FROM clients WHERE true", [])
        .add_some("AND client_id = ?", client_id.cloned())
        .add(NEXT_TARGET, [])
}

/// The pairs that an extent may have rows of, by client and target.
pub(super) fn within(extent: &Extent, connection: &Connection) -> rusqlite::Result<Vec<Pair>> {
    let mut names = Names::default();
    rows(&statement(extent), connection, |row| Ok(names.pair(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?)))
}

pub(super) fn statement(extent: &Extent) -> Statement {
    let pairs = match &extent.target {
        Some(target) => Statement::new("SELECT client_id,")
            .add("? AS target FROM clients WHERE true", [target.clone().into()])
            .add_some("AND client_id = ?", extent.client_id.clone()),
        // No target is empty: all come after it.
        None => after(String::new(), extent.client_id.as_ref())
            .add("SELECT client_id, target FROM pair WHERE target IS NOT NULL", []),
    };
    pairs.add("ORDER BY client_id, target", [])
}
