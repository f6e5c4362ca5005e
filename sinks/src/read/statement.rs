//! SQL in the making. Its text comes from this crate alone; whatever a user said is bound as a value.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// A statement and the values of its `?`, in their order.
pub(super) struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    pub(super) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new() }
    }

    /// Goes on with this text, which holds as many `?` as there are values.
    pub(super) fn add<const N: usize>(mut self, sql: &str, values: [Value; N]) -> Self {
        debug_assert_eq!(sql.matches('?').count(), N, "{sql}");
        self.sql.push(' ');
        self.sql.push_str(sql);
        self.values.extend(values);
        self
    }

    /// Goes on with this text and its one `?` where there is a value.
    pub(super) fn add_some(self, sql: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.add(sql, [value.into()]),
            None => self,
        }
    }

    /// Goes on with another statement.
    pub(super) fn nest(mut self, inner: Self) -> Self {
        self.sql.push(' ');
        self.sql.push_str(&inner.sql);
        self.values.extend(inner.values);
        self
    }

    /// All rows of the answer.
    pub(super) fn rows<T>(
        self,
        connection: &Connection,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        connection.prepare_cached(&self.sql)?.query_map(params_from_iter(self.values), read)?.collect()
    }

    /// How SQLite will find the rows, one step a line.
    #[cfg(test)]
    pub(super) fn plan(self, connection: &Connection) -> Vec<String> {
        let explained = Self { sql: format!("EXPLAIN QUERY PLAN {}", self.sql), values: self.values };
        explained.rows(connection, |row| row.get("detail")).unwrap()
    }
}

/// The value that a text of the store stands for.
pub(super) fn known<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(text).ok_or_else(|| {
        let unknown = format!("{text:?} is not known to this version");
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, unknown.into())
    })
}
