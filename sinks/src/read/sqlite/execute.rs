//! Statements as SQLite takes them.

use std::sync::Arc;

use netqoe_model::{Network, PairTags};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, Row, params_from_iter};

use crate::read::Names;
use crate::read::statement::{Statement, Value};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Time(ms) => ms.to_sql(),
            Self::Count(count) => count.to_sql(),
            Self::Real(value) => value.to_sql(),
        }
    }
}

/// All rows of the answer.
pub(super) fn rows<T>(
    statement: &Statement,
    connection: &Connection,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(&statement.sql)?.query_map(params_from_iter(&statement.values), read)?.collect()
}

/// The value that a text of the store stands for.
pub(super) fn known<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(text).ok_or_else(|| {
        let unknown = format!("{text:?} is not known to this version");
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, unknown.into())
    })
}

/// The network whose three columns begin with this one: `network_type`, `isp`, `site`.
pub(super) fn network(row: &Row<'_>, first: usize, names: &mut Names) -> rusqlite::Result<Option<Arc<Network>>> {
    let name = |column| -> rusqlite::Result<_> { Ok(row.get_ref(column)?.as_str_or_null()?) };
    Ok(names.network(name(first)?, name(first + 1)?, name(first + 2)?))
}

/// The labels whose two columns begin with this one: `client_labels`, `target_labels`.
pub(super) fn tags(row: &Row<'_>, first: usize, names: &mut Names) -> rusqlite::Result<Option<Arc<PairTags>>> {
    let json = |column| -> rusqlite::Result<_> { Ok(row.get_ref(column)?.as_str_or_null()?) };
    match names.tags(json(first)?, json(first + 1)?) {
        Ok(tags) => Ok(tags),
        Err(json) => known(json, |_| None),
    }
}
