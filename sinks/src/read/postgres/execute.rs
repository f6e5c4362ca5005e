//! Statements as PostgreSQL takes them.

use std::sync::Arc;
use std::time::SystemTime;

use netqoe_model::{MAX_TIME_MS, Network, PairTags};
use postgres::Row;
use postgres::types::{ToSql, Type};

use crate::postgres::window::{Unreadable, timestamptz};
use crate::read::Names;
use crate::read::statement::{Statement, Value};

/// The statement with its parameters numbered. There is no other `?` in it.
pub(super) fn numbered(statement: &Statement) -> String {
    let mut parts = statement.sql.split('?');
    let mut sql = parts.next().unwrap_or_default().to_owned();
    for (number, part) in (1..).zip(parts) {
        sql.push('$');
        sql.push_str(&usize::to_string(&number));
        sql.push_str(part);
    }
    sql
}

/// A value as the driver takes it.
#[derive(Debug)]
pub(super) enum Parameter<'a> {
    Text(&'a str),
    Time(SystemTime),
    Count(i64),
    Real(f64),
}

impl<'a> Parameter<'a> {
    /// All parameters of a statement.
    pub(super) fn of(statement: &'a Statement) -> Vec<Self> {
        let parameter = |value: &'a Value| match value {
            // Only a forged place has a U+0000: what is before it stands on the same side of all texts of a store. Or a
            // time that no row can have.
            Value::Text(text) => Self::Text(text.split('\0').next().unwrap_or_default()),
            Value::Time(ms) => Self::Time(timestamptz((*ms).clamp(0, MAX_TIME_MS))),
            Value::Count(count) => Self::Count(*count),
            Value::Real(value) => Self::Real(*value),
        };
        statement.values.iter().map(parameter).collect()
    }

    /// With its type, so that the server needs not be asked for it.
    pub(super) fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(text) => (text, Type::TEXT),
            Self::Time(time) => (time, Type::TIMESTAMPTZ),
            Self::Count(count) => (count, Type::INT8),
            Self::Real(value) => (value, Type::FLOAT8),
        }
    }
}

/// The value that a text of the store stands for.
pub(super) fn known<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Unreadable> {
    parse(text).ok_or_else(|| Unreadable::Value(format!("{text:?} is not known to this version")))
}

/// The network whose three columns begin with this one: `network_type`, `isp`, `site`.
pub(super) fn network(row: &Row, first: usize, names: &mut Names) -> Result<Option<Arc<Network>>, Unreadable> {
    Ok(names.network(row.try_get(first)?, row.try_get(first + 1)?, row.try_get(first + 2)?))
}

/// The labels whose two columns begin with this one: `client_labels`, `target_labels`.
pub(super) fn tags(row: &Row, first: usize, names: &mut Names) -> Result<Option<Arc<PairTags>>, Unreadable> {
    match names.tags(row.try_get(first)?, row.try_get(first + 1)?) {
        Ok(tags) => Ok(tags),
        Err(json) => known(json, |_| None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_their_order() {
        let inner = Statement::new("").add("a = ?", [Value::Count(1)]);
        let statement =
            Statement::new("SELECT").nest(inner).add("AND b > ? LIMIT ?", [Value::Time(2), Value::Count(3)]);
        assert_eq!(numbered(&statement), "SELECT  a = $1 AND b > $2 LIMIT $3");
    }
}
