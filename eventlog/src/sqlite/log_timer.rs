//! The time that records get: the clock's where it can be believed, and never before what is in the log.

use std::time::Duration;

use netqoe_model::LogTime;
use rusqlite::{Connection, OptionalExtension, params};

use super::clock_watch::{Ahead, ClockWatch, Reading};
use super::{Boot, SqliteLogOptions};
use crate::{AppendError, LogClock};

pub(super) struct LogTimer {
    clock: LogClock,
    boot: Boot,
    watch: ClockWatch,
}

impl LogTimer {
    /// Goes on from what was believed when the log was last written in this run of the machine.
    pub(super) fn open(connection: &Connection, options: &SqliteLogOptions) -> rusqlite::Result<Self> {
        let (clock, boot) = (LogClock::clone(&options.clock), options.boot.clone());
        let stored = boot.id.as_deref().map(|id| stored(connection, id)).transpose()?.flatten();
        let now = read(&clock, &boot);
        Ok(Self { watch: ClockWatch::new(stored, now, options.believe_clock_after), clock, boot })
    }

    /// The log's time now, given that it has reached `log_time`.
    pub(super) fn now(&mut self, log_time: LogTime) -> Result<LogTime, AppendError> {
        let looked = self.watch.look(read(&self.clock, &self.boot), log_time);
        let refused = |Ahead { ahead_ms, believed_in }| AppendError::ClockAhead { ahead_ms, believed_in };
        looked.map(|clock| clock.max(log_time)).map_err(refused)
    }

    /// Stores what is believed, if that is new.
    pub(super) fn store(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let (Some(id), Some(Reading { clock_ms, uptime })) = (&self.boot.id, self.watch.to_store()) {
            let uptime_ms = i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX);
            connection.execute(
                "INSERT OR REPLACE INTO log_clock (only_row, boot_id, uptime_ms, clock_ms) VALUES (1, ?1, ?2, ?3)",
                params![id, uptime_ms, clock_ms],
            )?;
        }
        self.watch.stored();
        Ok(())
    }
}

fn read(clock: &LogClock, boot: &Boot) -> Reading {
    Reading { clock_ms: clock().ms(), uptime: (boot.uptime)() }
}

fn stored(connection: &Connection, boot_id: &str) -> rusqlite::Result<Option<Reading>> {
    let select = "SELECT uptime_ms, clock_ms FROM log_clock WHERE boot_id = ?1";
    connection
        .query_row(select, [boot_id], |row| {
            let uptime_ms: i64 = row.get(0)?;
            Ok(Reading { uptime: Duration::from_millis(uptime_ms.unsigned_abs()), clock_ms: row.get(1)? })
        })
        .optional()
}
