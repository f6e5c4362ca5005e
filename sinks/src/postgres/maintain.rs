//! Creating upcoming monthly partitions, and dropping old ones with everything that belongs to them.
//!
//! Decision: D-024.

use postgres::error::SqlState;
use postgres::types::Type;

use super::months::{Month, drop_before, last, make, role};
use super::window::timestamptz;
use super::{Failure, PostgresStore, schema};
use crate::fleet::PARTS;
use crate::{Maintain, Maintained, Maintenance, StoreError};

/// Rows deleted in one transaction: it ends within a fraction of a second, so that nobody waits long for the lock.
const ROWS_PER_TRANSACTION: i64 = 10_000;

impl Maintain for PostgresStore {
    /// Rows are dropped by whole months, and diagnoses, clients and dead letters with the month that they belong to.
    fn maintain(&mut self, maintenance: &Maintenance) -> Result<Maintained, StoreError> {
        self.try_maintain(maintenance).map_err(|failure| self.link.error("maintain its tables", failure))
    }
}

impl PostgresStore {
    fn try_maintain(&mut self, maintenance: &Maintenance) -> Result<Maintained, Failure> {
        let Some(oldest) = Month::of(maintenance.kept_from_ms()) else { return Ok(Maintained::default()) };
        // Before their rows: a diagnosis never stands without one.
        let mut done = Maintained {
            diagnoses_deleted: self.delete_before(oldest, "diagnoses", "window_start_ts < $1")?,
            ..Maintained::default()
        };
        let months = self.transact(|transaction| {
            schema::lock(transaction)?;
            let ahead =
                Month::of(maintenance.now_ms).into_iter().flat_map(|now| now.and_following(maintenance.months_ahead));
            Ok((make(transaction, ahead)?, drop_before(transaction, oldest)?))
        });
        done.clients_deleted = self.delete_before(oldest, "clients", "last_seen < $1")?;
        done.dead_letters_deleted = self.delete_before(oldest, "dead_letters", "log_time < $1")?;
        self.delete_before(oldest, "corrections", "at < $1")?;
        // Before their incidents, so that none is left behind.
        for (table, _) in PARTS {
            self.delete_before(oldest, table, "incident IN (SELECT id FROM incidents WHERE closed < $1)")?;
        }
        done.incidents_deleted = self.delete_before(oldest, "incidents", "closed < $1")?;
        // The server collects statistics of a partitioned table only when it is told to.
        self.link.client()?.batch_execute("ANALYZE agg_1m")?;
        (done.months_made, done.months_dropped) = match months {
            Err(Failure::Postgres(error)) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                return Err(self.not_the_owner()?.into());
            }
            months => months?,
        };
        Ok(done)
    }

    /// Rights on rows are enough to write until the partitions that the owner has created run out.
    fn not_the_owner(&mut self) -> Result<StoreError, Failure> {
        let store = self.link.name().to_owned();
        let (role, last) = self.transact(|transaction| Ok((role(transaction)?, last(transaction)?)))?;
        let through =
            last.map_or_else(String::new, |last| format!(" they end with {last}, and later rows have to wait;"));
        Ok(StoreError::Rights {
            store,
            role,
            lacking: "to make the monthly partitions of agg_1m that are next, and to drop the oldest".to_owned(),
            advice: format!("{through} run `netqoe maintain` as the owner of the tables once a month")
                .trim_start()
                .to_owned(),
        })
    }

    /// Deletes the rows of a table that are old by this condition, in which `$1` is the month's beginning. Returns how many.
    fn delete_before(&mut self, month: Month, table: &str, is_old: &str) -> Result<u64, Failure> {
        let Some(begin_ms) = month.begin_ms() else { return Ok(0) };
        let sql =
            format!("DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {is_old} LIMIT $2))");
        let mut deleted = 0;
        loop {
            let batch = self.transact(|transaction| {
                schema::lock(transaction)?;
                let parameters =
                    [(&timestamptz(begin_ms) as _, Type::TIMESTAMPTZ), (&ROWS_PER_TRANSACTION as _, Type::INT8)];
                Ok(transaction.execute_typed(&sql, &parameters)?)
            })?;
            deleted += batch;
            if batch < ROWS_PER_TRANSACTION.cast_unsigned() {
                return Ok(deleted);
            }
        }
    }
}
