//! What keeps a SQLite store from being used: what passes is told from what stays, and said in its own words.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::{Checkpoint, DEFAULT_PARTITIONS, Generation, LogIdentity, PartitionCommit, Position};
use netqoe_sinks::read::{ReadError, Reader, SqliteReader};
use netqoe_sinks::{Opening, SqliteStore, Store, StoreError, WriteTurn};
use rusqlite::Connection;

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, WriteTurn::default(), Arc::new(|| 0))
}

fn commit(processed: u64) -> PartitionCommit {
    let checkpoint = Checkpoint { processed: Position(processed), ..Checkpoint::default() };
    PartitionCommit {
        checkpoint,
        rows: vec![],
        clients: vec![],
        dead_letters: vec![],
        looks: vec![],
        waiting: Vec::new(),
        oldest_record: None,
    }
}

fn generation(store: &mut SqliteStore) -> Generation {
    let log = LogIdentity { id: "live".to_owned(), partitions: DEFAULT_PARTITIONS };
    store.open(&log, &Opening::default()).unwrap()
}

#[test]
fn a_lock_of_somebody_else_passes_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path).unwrap();
    let generation = generation(&mut store);
    let reader: &dyn Reader = &SqliteReader::open(&path).unwrap();

    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = store.commit(generation, &[commit(1)]).unwrap_err();
    assert!(locked.may_pass(), "{locked:?}");
    let said = locked.to_string();
    assert!(said.contains("another program has locked the file") && said.contains("store.db"), "{said}");
    assert!(!said.contains("free space") && !said.contains('\n'), "{said}");
    assert!(!locked.without_place().contains("store.db"), "{}", locked.without_place());
    assert_eq!(reader.ask(|store| store.rows.checkpoints()).unwrap(), [], "questions go on meanwhile");

    holder.execute_batch("ROLLBACK").unwrap();
    store.commit(generation, &[commit(2)]).unwrap();
    assert_eq!(reader.ask(|store| store.rows.checkpoints()).unwrap()[0].processed, Position(2));
}

#[test]
fn a_question_that_meets_a_lock_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path).unwrap());
    let reader = SqliteReader::open(&path).unwrap();
    drop(reader);
    let holder = Connection::open(&path).unwrap();
    holder.busy_timeout(Duration::from_secs(5)).unwrap();
    holder.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM starts; COMMIT").unwrap();
    let refused = SqliteReader::open(&path).err().unwrap();
    let ReadError::Unavailable { reason, .. } = &refused else { panic!("{refused:?}") };
    assert!(reason.contains("locked"), "{reason}");
}

#[test]
fn what_is_damaged_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "this is a text that somebody has put into the place of the database\n".repeat(100)).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }) && !error.may_pass(), "{error:?}");

    let gone = open(&folder.path().join("nowhere/store.db")).err().unwrap();
    assert!(matches!(gone, StoreError::Unwritable { .. }) && !gone.may_pass(), "{gone:?}");
}

#[test]
fn tables_of_another_program_are_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE clients (name TEXT, address TEXT)").unwrap();
    let error = open(&path).err().unwrap();
    assert!(!error.may_pass(), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("clients") && said.contains("another program") && said.len() < 250, "{said}");
    assert!(!said.contains('\n'), "{said}");
}

#[test]
fn new_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, built) = (folder.path().join("store.db"), folder.path().join("built.db"));
    let _store = open(&path).unwrap();
    Box::new(SqliteStore::build(&built, Arc::new(|| 0)).unwrap()).complete().unwrap();
    for entry in folder.path().read_dir().unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    assert!(built.exists() && folder.path().join("store.db-wal").exists());
}
