//! Takes back what was computed from the end of the log, so that the pipeline reads it again.

use netqoe_model::{Checkpoint, LogTime, Partition, Position, WindowStart};
use rusqlite::{Connection, OptionalExtension, params};

use super::{fleet, read_back};

/// The store in a file that also holds its log, within the transaction that changes that log.
pub struct SqliteRewind<'a>(pub &'a Connection);

impl SqliteRewind<'_> {
    /// How far each partition has come; empty if the file holds no store.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn checkpoints(&self) -> rusqlite::Result<Vec<Checkpoint>> {
        if self.has_table("checkpoint")? { read_back::checkpoints(self.0) } else { Ok(Vec::new()) }
    }

    fn has_table(&self, name: &str) -> rusqlite::Result<bool> {
        let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        Ok(self.0.query_row(exists, [name], |_| Ok(())).optional()?.is_some())
    }

    /// The clients that have rows.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn clients(&self) -> rusqlite::Result<Vec<String>> {
        let mut next = self.0.prepare("SELECT min(client_id) FROM agg_1m WHERE client_id > ?1")?;
        let mut clients: Vec<String> = Vec::new();
        let mut after = String::new();
        while let Some(client) = next.query_row([&after], |row| row.get::<_, Option<String>>(0))? {
            after.clone_from(&client);
            clients.push(client);
        }
        Ok(clients)
    }

    /// Deletes a client's rows from this window on, and what was last seen of it then. Returns how many rows these were.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn delete_rows(&self, client_id: &str, from: WindowStart) -> rusqlite::Result<usize> {
        let of_client = params![client_id, from.ms()];
        self.0
            .prepare_cached("DELETE FROM diagnoses WHERE client_id = ?1 AND window_start_ts >= ?2")?
            .execute(of_client)?;
        self.0.prepare_cached("DELETE FROM clients WHERE client_id = ?1 AND first_seen >= ?2")?.execute(of_client)?;
        // What is counted again tells of its network again.
        self.0
            .prepare_cached("UPDATE clients SET last_seen = min(last_seen, max(first_seen, ?2)) WHERE client_id = ?1")?
            .execute(of_client)?;
        self.0.prepare_cached("DELETE FROM agg_1m WHERE client_id = ?1 AND window_start_ts >= ?2")?.execute(of_client)
    }

    /// Deletes dead letters of a partition from this record on: those that still can't be counted come back.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn delete_letters(&self, partition: Partition, from: Position) -> rusqlite::Result<()> {
        let delete = "DELETE FROM dead_letters WHERE partition = ?1 AND position >= ?2";
        self.0.execute(delete, params![partition.0, from.0.cast_signed()]).map(drop)
    }

    /// Takes back what was found in looks after this log time: incidents that were told later are gone, those that are open are
    /// withdrawn, and the looks are taken again.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn delete_incidents(&self, after: LogTime, because: &str, now_ms: i64) -> rusqlite::Result<()> {
        // One of a netqoe that found none.
        if !self.has_table("incidents")? {
            return Ok(());
        }
        for table in ["incident_members", "incident_revisions"] {
            let told_later = "(SELECT id FROM incidents WHERE detected > ?1)";
            self.0.execute(&format!("DELETE FROM {table} WHERE incident IN {told_later}"), [after.ms()])?;
        }
        self.0.execute("DELETE FROM incidents WHERE detected > ?1", [after.ms()])?;
        self.0.execute("DELETE FROM looks WHERE at > ?1", [after.ms()])?;
        // Receivers are told of what is found from now on.
        self.0.execute("UPDATE told SET through = min(through, ?1)", [after.ms()])?;
        if self.has_table("fleet_states")? {
            self.0.execute("DELETE FROM fleet_states", [])?;
        }
        fleet::start_anew(self.0, WindowStart::from_ms(after.ms()), because, now_ms)
    }

    /// Sets a partition back to where it stood; to the log's beginning, where it stood nowhere.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_back(&self, partition: Partition, to: Option<&Checkpoint>) -> rusqlite::Result<()> {
        let Some(to) = to else {
            return self.0.execute("DELETE FROM checkpoint WHERE partition = ?1", [partition.0]).map(drop);
        };
        let ledger = to.ledger;
        self.0
            .execute(
                "UPDATE checkpoint SET resume_from = ?2, processed = ?3, log_time = ?4, read = ?5, accepted = ?6,
                     duplicate = ?7, late = ?8, invalid = ?9 WHERE partition = ?1",
                params![
                    partition.0,
                    to.resume_from.0.cast_signed(),
                    to.processed.0.cast_signed(),
                    to.log_time.ms(),
                    ledger.read.cast_signed(),
                    ledger.accepted.cast_signed(),
                    ledger.duplicate.cast_signed(),
                    ledger.late.cast_signed(),
                    ledger.invalid.cast_signed(),
                ],
            )
            .map(drop)
    }
}
