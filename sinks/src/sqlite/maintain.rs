//! Old rows deleted, a few at a time.

use rusqlite::params;

use super::SqliteStore;
use crate::fleet::PARTS;
use crate::{Maintain, Maintained, Maintenance, StoreError};

/// Rows deleted in one transaction. They lie on as many pages, and the log's writer waits meanwhile: some milliseconds.
const ROWS_PER_TRANSACTION: usize = 1_000;

/// What tells the rows of `agg_1m` and `diagnoses` apart.
const WINDOW_KEY: &str = "client_id, target, window_start_ts";

impl Maintain for SqliteStore {
    /// The file does not shrink: what becomes free in it is filled again by what comes next.
    fn maintain(&mut self, maintenance: &Maintenance) -> Result<Maintained, StoreError> {
        let before_ms = maintenance.kept_from_ms();
        // Before their incidents, so that none is left behind.
        for (table, key) in PARTS {
            self.delete(table, key, "incident IN (SELECT id FROM incidents WHERE closed < ?1)", before_ms)?;
        }
        self.delete("corrections", "id", "at < ?1", before_ms)?;
        Ok(Maintained {
            // Before their rows: a diagnosis never stands without one.
            diagnoses_deleted: self.delete("diagnoses", WINDOW_KEY, "window_start_ts < ?1", before_ms)?,
            rows_deleted: self.delete("agg_1m", WINDOW_KEY, "window_start_ts < ?1", before_ms)?,
            clients_deleted: self.delete("clients", "client_id", "last_seen < ?1", before_ms)?,
            dead_letters_deleted: self.delete("dead_letters", "rowid", "log_time < ?1", before_ms)?,
            incidents_deleted: self.delete("incidents", "id", "closed < ?1", before_ms)?,
            ..Maintained::default()
        })
    }
}

impl SqliteStore {
    /// Deletes the rows of a table that are old by this condition, in which `?1` is the time. Returns how many.
    fn delete(&mut self, table: &str, key: &str, is_old: &str, before_ms: i64) -> Result<u64, StoreError> {
        let sql = format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {is_old} LIMIT ?2)");
        let mut deleted = 0;
        loop {
            let batch = self.transact("delete old rows", |transaction, _| {
                Ok(transaction.prepare_cached(&sql)?.execute(params![before_ms, ROWS_PER_TRANSACTION])?)
            })?;
            deleted += batch as u64;
            if batch < ROWS_PER_TRANSACTION {
                return Ok(deleted);
            }
        }
    }
}
