//! What is checked before anything is written to a database: its encoding, the version of its schema, and the rights.

use std::collections::BTreeSet;

use postgres::Client;
use postgres::types::Type;

use super::Failure;
use crate::StoreError;

/// Encodings in which every name can be written. A database in `SQL_ASCII` keeps bytes as they come, and we send UTF-8.
const ENCODINGS: [&str; 2] = ["UTF8", "SQL_ASCII"];

/// What a process that writes reads and writes.
pub(super) const TABLES: [&str; 18] = [
    "agg_1m",
    "diagnoses",
    "clients",
    "dead_letters",
    "checkpoint",
    "fence",
    "attempts",
    "starts",
    "looks",
    "fleet",
    "incidents",
    "incident_members",
    "incident_revisions",
    "unmeasured",
    "incident_notes",
    "maintenance_windows",
    "outbox",
    "told",
];

/// What the server calls its encoding.
pub(crate) const ENCODING: &str = "SHOW server_encoding";

/// Refuses a database in which not every name can be written, rather than the first such name.
pub(crate) fn check_encoding(store: &str, encoding: &str) -> Result<(), StoreError> {
    if ENCODINGS.contains(&encoding) {
        return Ok(());
    }
    Err(StoreError::Encoding { store: store.to_owned(), encoding: encoding.to_owned() })
}

/// The versions of the schema that the database has; empty if it has no schema.
pub(crate) fn versions(client: &mut Client, history_table: &str) -> Result<BTreeSet<i32>, postgres::Error> {
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&history_table, Type::TEXT)])?;
    if !there.first().map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(BTreeSet::new());
    }
    let rows = client.query_typed(&format!("SELECT version FROM {history_table}"), &[])?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Refuses a role that may not do what each commit does, before it has read anything.
pub(super) fn check_rights(client: &mut Client, store: &str) -> Result<(), Failure> {
    let lacking = "SELECT string_agg(right_of.kind || ' on ' || table_of.name, ', '), min(current_user::text)
         FROM unnest($1::text[]) AS table_of (name), unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS right_of (kind)
         WHERE NOT has_table_privilege(table_of.name, right_of.kind)";
    let rows = client.query_typed(lacking, &[(&&TABLES[..], Type::TEXT_ARRAY)])?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (Some(lacking), Some(role)) = (row.try_get::<_, Option<String>>(0)?, row.try_get::<_, Option<String>>(1)?)
    else {
        return Ok(());
    };
    let advice =
        format!("as the owner of the tables, GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … TO {role}");
    Err(StoreError::Rights { store: store.to_owned(), role, lacking, advice }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_without_all_names_is_refused_in_one_line() {
        for encoding in ENCODINGS {
            check_encoding("postgres://h/d", encoding).unwrap();
        }
        for encoding in ["LATIN1", "WIN1252", "EUC_JP", "LATIN9"] {
            let refused = check_encoding("postgres://h/d", encoding).unwrap_err().to_string();
            assert!(refused.contains(encoding) && refused.contains("UTF8") && !refused.contains('\n'), "{refused}");
        }
    }
}
