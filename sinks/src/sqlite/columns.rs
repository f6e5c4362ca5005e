//! Columns of SQLite's rows.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::incident_columns::Columns;

impl Columns for Row<'_> {
    type Error = rusqlite::Error;

    fn text(&self, column: usize) -> rusqlite::Result<&str> {
        Ok(self.get_ref(column)?.as_str()?)
    }

    fn some_text(&self, column: usize) -> rusqlite::Result<Option<&str>> {
        Ok(self.get_ref(column)?.as_str_or_null()?)
    }

    fn time_ms(&self, column: usize) -> rusqlite::Result<i64> {
        self.get(column)
    }

    fn some_time_ms(&self, column: usize) -> rusqlite::Result<Option<i64>> {
        self.get(column)
    }

    fn count(&self, column: usize) -> rusqlite::Result<u32> {
        self.get(column)
    }

    fn unknown(&self, column: usize, text: &str) -> rusqlite::Error {
        let name = self.as_ref().column_name(column).unwrap_or("?");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("{name} = {text}").into())
    }
}
