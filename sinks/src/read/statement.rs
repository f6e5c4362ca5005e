//! SQL in the making. Its text comes from this crate alone; values from users are always bound.

/// A value that a statement is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// Unix milliseconds.
    Time(i64),
    Count(i64),
    Real(f64),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A statement and the values of its `?`, in their order.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
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
}
