//! Columns of PostgreSQL's rows.

use std::time::SystemTime;

use postgres::Row;

use super::window::{Unreadable, narrow, unix_ms};
use crate::incident_columns::Columns;

impl Columns for Row {
    type Error = Unreadable;

    fn text(&self, column: usize) -> Result<&str, Unreadable> {
        Ok(self.try_get(column)?)
    }

    fn some_text(&self, column: usize) -> Result<Option<&str>, Unreadable> {
        Ok(self.try_get(column)?)
    }

    fn time_ms(&self, column: usize) -> Result<i64, Unreadable> {
        Ok(unix_ms(self.try_get(column)?))
    }

    fn some_time_ms(&self, column: usize) -> Result<Option<i64>, Unreadable> {
        Ok(self.try_get::<_, Option<SystemTime>>(column)?.map(unix_ms))
    }

    fn count(&self, column: usize) -> Result<u32, Unreadable> {
        narrow::<i64, u32>(self, column)
    }

    fn unknown(&self, column: usize, text: &str) -> Unreadable {
        let name = self.columns().get(column).map_or("?", |column| column.name());
        Unreadable::Value(format!("{name} = {text}"))
    }
}
