//! What scores are made of: for each pair a walk along the primary key.

use rusqlite::Connection;

use super::LABELLED;
use super::execute::{rows, tags};
use super::pairs;
use crate::read::score::{self, Dialect};
use crate::read::statement::Value;
use crate::read::{Extent, Names, ScoreRecord, ScoreTerms};

const DIALECT: Dialect =
    Dialect { start_ms: "window_start_ts", integer: "", labelled: LABELLED, whole: ["CAST(", " AS INTEGER)"] };

pub(super) fn read(
    connection: &Connection,
    extent: &Extent,
    terms: ScoreTerms,
    limit: u32,
) -> rusqlite::Result<Vec<ScoreRecord>> {
    let (mut names, mut records) = (Names::default(), Vec::new());
    for pair in pairs::within(extent, connection)? {
        let values = [&pair.client_id, &pair.target].map(|name| Value::Text(name.to_string()));
        let statement = score::of_pair(&DIALECT, ("client_id = ? AND target = ?", values), extent, terms);
        let of_pair = rows(&statement, connection, |row| {
            Ok(ScoreRecord {
                pair: pair.clone(),
                isp: row.get_ref(0)?.as_str_or_null()?.map(|isp| names.shared(isp)),
                tags: tags(row, 1, &mut names)?,
                windows: row.get(3)?,
                count_total: row.get(4)?,
                count_error: row.get(5)?,
                satisfied_quarters: row.get(6)?,
                round_trips: row.get(7)?,
                round_trip_hundredths: row.get(8)?,
                available_ms: row.get(9)?,
                unavailable_ms: row.get(10)?,
            })
        });
        records.extend(of_pair?);
        if records.len() >= limit as usize {
            records.truncate(limit as usize);
            break;
        }
    }
    Ok(records)
}
