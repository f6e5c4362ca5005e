//! Bringing the schema up to date.

use std::collections::BTreeSet;
use std::error::Error;

use postgres::Transaction;
use postgres::types::Type;
use refinery::error::Kind;

use super::STORE_LOCK;
use super::link::{Link, describe};
use super::{Failure, admission, retry};
use crate::StoreError;

mod embedded {
    refinery::embed_migrations!("../migrations/postgres");
}

pub(crate) const HISTORY_TABLE: &str = "store_schema_history";

/// The version of the schema that this netqoe reads and writes.
pub(crate) fn known_version() -> i32 {
    known().last().copied().unwrap_or_default()
}

/// Sees that the database can hold what we write, and applies the migrations that it lacks. Where it lacks none, rights on
/// rows are enough.
pub(super) fn bring_up_to_date(link: &mut Link) -> Result<(), StoreError> {
    admit(link).map_err(|failure| link.error("have its schema looked at", failure))
}

/// The versions that this program knows.
fn known() -> BTreeSet<i32> {
    embedded::migrations::runner().get_migrations().iter().map(|migration| migration.version()).collect()
}

fn admit(link: &mut Link) -> Result<(), Failure> {
    let store = link.name().to_owned();
    let encoding: String = link.client()?.query_typed(admission::ENCODING, &[])?[0].try_get(0)?;
    admission::check_encoding(&store, &encoding)?;
    let known = known();
    let found = admission::versions(link.client()?, HISTORY_TABLE)?;
    if found.is_superset(&known) {
        // What is newer than all that we know is refused; nothing can be missing before it.
        let newer = found.last().zip(known.last()).filter(|(found, known)| found > known);
        if let Some((&found, &known)) = newer {
            return Err(StoreError::Newer { store, found, known }.into());
        }
    } else {
        migrate(link)?;
    }
    admission::check_rights(link.client()?, &store)
}

/// Applies the migrations that the database lacks.
///
/// Refinery begins and ends transactions of its own and takes no lock. The lock is therefore held by a transaction of
/// a second connection (behind a pooler, a lock can't be held outside of a transaction).
fn migrate(link: &mut Link) -> Result<(), StoreError> {
    const DOING: &str = "be brought up to date";
    let store = link.name().to_owned();
    let mut holder = link.another().map_err(|error| link.error(DOING, error.into()))?;
    let mut held = holder.transaction().map_err(|error| link.error(DOING, error.into()))?;
    lock(&mut held).map_err(|error| link.error(DOING, error.into()))?;
    let mut client = link.another().map_err(|error| link.error(DOING, error.into()))?;

    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY_TABLE);
    let known = known_version();
    // Grouped: a migration and the note that it was applied are one transaction.
    runner.set_grouped(true).run(&mut client).map_err(|error| match error.kind() {
        Kind::MissingVersion(applied) if applied.version() > known => {
            StoreError::Newer { store: store.clone(), found: applied.version(), known }
        }
        kind => match kind.source().and_then(|source| source.downcast_ref::<postgres::Error>()) {
            Some(error) if retry::error_may_pass(error) => {
                StoreError::Unavailable { store: store.clone(), doing: DOING, reason: describe(error) }
            }
            Some(error) => StoreError::Schema { store: store.clone(), reason: describe(error) },
            None => StoreError::Schema { store: store.clone(), reason: error.to_string() },
        },
    })?;
    held.commit().map_err(|error| link.error(DOING, error.into()))
}

/// Waits for the lock under which schema, partitions and generation change, until the transaction ends.
pub(super) fn lock(transaction: &mut Transaction<'_>) -> Result<(), postgres::Error> {
    transaction.query_typed("SELECT pg_advisory_xact_lock($1)", &[(&STORE_LOCK, Type::INT8)])?;
    Ok(())
}
