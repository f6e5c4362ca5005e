//! How many windows match inside a range of time and outside: for each pair a walk along the primary key.

use netqoe_model::MAX_TIME_MS;
use rusqlite::{Connection, params_from_iter};

use super::LABELLED;
use super::execute::{network, tags};
use super::pairs;
use crate::read::statement::{Statement, Value};
use crate::read::{Extent, Matching, Names, Pair, SplitRecord};

pub(super) fn read(
    connection: &Connection,
    extent: &Extent,
    inside_ms: [i64; 2],
    matching: &Matching,
    limit: u32,
) -> rusqlite::Result<Vec<SplitRecord>> {
    let (mut splits, mut names) = (Vec::new(), Names::default());
    for pair in pairs::within(extent, connection)? {
        add_splits(connection, &pair, (extent, inside_ms, matching), &mut names, &mut splits)?;
        if splits.len() >= limit as usize {
            splits.truncate(limit as usize);
            break;
        }
    }
    Ok(splits)
}

/// Windows are counted here: SQLite would sort them by their networks and labels first.
fn add_splits(
    connection: &Connection,
    pair: &Pair,
    (extent, inside_ms, matching): (&Extent, [i64; 2], &Matching),
    names: &mut Names,
    splits: &mut Vec<SplitRecord>,
) -> rusqlite::Result<()> {
    let statement = of_pair(pair, extent, inside_ms, matching);
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let mut windows = prepared.query(params_from_iter(&statement.values))?;
    let first = splits.len();
    while let Some(row) = windows.next()? {
        let (network, tags) = (network(row, 2, names)?, tags(row, 5, names)?);
        // A pair has one network or two, and mostly the same labels; those of the window before are the last.
        let known = splits[first..].iter().rposition(|split| split.network == network && split.tags == tags);
        let place = known.map_or(splits.len(), |nth| first + nth);
        if known.is_none() {
            splits.push(SplitRecord::none_of(pair.clone(), network, tags));
        }
        splits[place].count(row.get(0)?, row.get(1)?);
    }
    splits[first..].sort_unstable_by(|a, b| (&a.network, &a.tags).cmp(&(&b.network, &b.tags)));
    Ok(())
}

pub(super) fn of_pair(pair: &Pair, extent: &Extent, inside_ms: [i64; 2], matching: &Matching) -> Statement {
    let inside_ms = inside_ms.map(|ms| Value::Time(ms.clamp(0, MAX_TIME_MS)));
    let names = [&pair.client_id, &pair.target].map(|name| Value::Text(name.to_string()));
    Statement::new("SELECT")
        .add("window_start_ts >= ? AND window_start_ts < ?, coalesce(", inside_ms)
        .nest(matching.condition())
        .add(", false), network_type, isp, site, client_labels, target_labels FROM agg_1m WHERE client_id = ? AND target = ? AND", names)
        .nest(extent.in_time())
        .nest(extent.tagged(LABELLED, "agg_1m"))
}
