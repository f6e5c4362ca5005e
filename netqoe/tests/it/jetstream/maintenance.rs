//! `netqoe migrate` and `netqoe maintain`, on both stores.

use netqoe_testbed::Database;
use serde_json::Value;

use crate::jetstream::stage::{failed, succeeded};
use crate::support::{event, netqoe};

const LONG_AGO_MS: i64 = 1_600_000_000_000;

/// What a command prints, as JSON.
#[track_caller]
fn printed(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeded(netqoe().args(arguments).output().unwrap())).unwrap()
}

/// Migrates an empty store, fills it with one event of long ago and one of now, and maintains it.
#[track_caller]
fn check(store: &str) -> Value {
    for _ in 0..2 {
        assert_eq!(printed(&["migrate", "--database-url", store])["schema"], "up to date");
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("history.ndjson");
    let mut old = event("old", "a-client");
    old["ts_ms"] = LONG_AGO_MS.into();
    std::fs::write(&input, format!("{old}\n{}\n", event("new", "another-client"))).unwrap();
    let replayed = printed(&["replay", "--store", store, "--input", input.to_str().unwrap()]);
    assert_eq!(replayed["rows"], 2, "{replayed}");

    let maintain = ["maintain", "--database-url", store];
    failed(&netqoe().args(maintain).args(["--retention", "47h"]).output().unwrap(), 2, "at least 2d");
    let done = printed(&maintain);
    assert_eq!(done["clients_deleted"], 1, "{done}");
    let again = printed(&maintain);
    assert!(again.as_object().unwrap().values().all(|count| count == 0), "nothing is left to do: {again}");
    done
}

#[test]
fn a_sqlite_store_lets_go_of_old_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let done = check(&format!("sqlite:{}", path.display()));
    assert_eq!((&done["rows_deleted"], &done["months_dropped"]), (&1.into(), &0.into()), "{done}");
    let clients = crate::support::query(&path, "SELECT client_id FROM agg_1m");
    assert_eq!(clients, [["Text(\"another-client\")"]]);
}

#[test]
fn a_postgresql_store_drops_old_months_and_makes_new_ones_ahead() {
    let database = Database::fresh().unwrap();
    let done = check(database.url());
    assert_eq!(done["months_dropped"], 1, "{done}");
    assert!(done["months_made"].as_u64().unwrap() >= 3, "{done}");
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
    let rows = client.query("SELECT client_id FROM agg_1m", &[]).unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), ["another-client"]);
}
