//! Bringing the schema up to date.

use std::error::Error;

use postgres::Transaction;
use postgres::types::Type;
use refinery::error::Kind;

use super::STORE_LOCK;
use super::link::{Link, describe};
use crate::StoreError;

mod embedded {
    refinery::embed_migrations!("../migrations/postgres");
}

const HISTORY_TABLE: &str = "store_schema_history";

/// Applies the migrations that the database lacks.
///
/// Refinery begins and ends transactions of its own and takes no lock. The lock is therefore held by a transaction of
/// a second connection (behind a pooler, a lock can't be held outside of a transaction).
pub(super) fn migrate(link: &Link) -> Result<(), StoreError> {
    let connect = || {
        link.another().map_err(|error| StoreError::Connect { store: link.name().to_owned(), reason: describe(&error) })
    };
    let schema_error = |reason| StoreError::Schema { store: link.name().to_owned(), reason };
    let mut holder = connect()?;
    let mut held = holder.transaction().map_err(|error| schema_error(describe(&error)))?;
    lock(&mut held).map_err(|error| schema_error(describe(&error)))?;

    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY_TABLE);
    let known = runner.get_migrations().iter().map(|migration| migration.version()).max().unwrap_or_default();
    // Grouped: a migration and the note that it was applied are one transaction.
    runner.set_grouped(true).run(&mut connect()?).map_err(|error| match error.kind() {
        Kind::MissingVersion(applied) if applied.version() > known => {
            StoreError::Newer { store: link.name().to_owned(), found: applied.version(), known }
        }
        kind => match kind.source().and_then(|source| source.downcast_ref::<postgres::Error>()) {
            Some(error) => schema_error(describe(error)),
            None => schema_error(error.to_string()),
        },
    })?;
    held.commit().map_err(|error| schema_error(describe(&error)))
}

/// Waits for the lock under which schema, partitions and generation change, until the transaction ends.
pub(super) fn lock(transaction: &mut Transaction<'_>) -> Result<(), postgres::Error> {
    transaction.query_typed("SELECT pg_advisory_xact_lock($1)", &[(&STORE_LOCK, Type::INT8)])?;
    Ok(())
}
