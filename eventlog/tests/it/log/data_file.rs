//! Data files that can't be used: one clear line each.

use std::path::Path;

use netqoe_eventlog::LogError;

use super::*;

fn open_error(bench: &Bench, path: &Path) -> LogError {
    let error = SqliteLog::open(path, bench.options()).err().expect("the file must not open");
    let message = error.to_string();
    assert!(!message.contains('\n') && message.contains("netqoe.db"), "{message}");
    error
}

fn with_sql(bench: &Bench, sql: &str) {
    rusqlite::Connection::open(&bench.path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn no_sqlite_file() {
    for content in ["hello", &"0123456789".repeat(1_000)] {
        let bench = Bench::new();
        std::fs::write(&bench.path, content).unwrap();
        assert!(matches!(open_error(&bench, &bench.path), LogError::NotSqlite { .. }));
        assert_eq!(std::fs::read(&bench.path).unwrap(), content.as_bytes(), "it is left as it is");
        let error = SqliteLog::export(&bench.path, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, LogError::NotSqlite { .. }), "{error}");
    }
}

#[test]
fn a_newer_file() {
    let bench = Bench::new();
    bench.open().close();
    with_sql(&bench, "INSERT INTO log_schema_history VALUES (9, 'later', 'some day', '1')");
    let error = open_error(&bench, &bench.path);
    assert!(matches!(error, LogError::Newer { found: 9, known: 2, .. }), "{error}");
    let error = SqliteLog::export(&bench.path, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, LogError::Newer { .. }), "{error}");
}

#[test]
fn an_older_file_is_brought_up_to_date_by_its_writer() {
    let bench = Bench::new();
    bench.open().close();
    with_sql(
        &bench,
        "DROP TABLE log_clock; DROP TABLE log_checksums; ALTER TABLE log_records DROP COLUMN checksum;
         DELETE FROM log_schema_history WHERE version = 2;
         INSERT INTO log_records (seq, partition, log_time, end_byte, lines) VALUES (1, 0, 900, 51, x'7b7d0a')",
    );
    let error = SqliteLog::export(&bench.path, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, LogError::Older { found: 1, known: 2, .. }), "{error}");

    let log = bench.open();
    append(&log, 0, "{}").unwrap();
    let chunks = drain(&mut *reader(&log, [0]));
    assert_eq!(texts(&chunks), [(0, 1, "{}\n"), (0, 2, "{}\n")]);
    assert!(chunks.iter().all(|chunk| chunk.set_aside.is_none()), "a record of before has no checksum");
    assert_eq!(SqliteLog::export(&bench.path, &mut Vec::new()).unwrap(), 2);
}

#[test]
fn a_data_file_that_is_gone_takes_nothing_and_says_so() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, "before").unwrap();
    let aside = bench.path.with_file_name("aside.db");
    std::fs::rename(&bench.path, &aside).unwrap();
    assert_eq!(append(&log, 0, "lost"), Err(AppendError::Moved { path: bench.path.clone() }));
    assert!(log.healthy().unwrap_err().contains("moved"));
    std::fs::rename(&aside, &bench.path).unwrap();
    assert!(append(&log, 0, "after").is_ok());
    assert_eq!(texts(&drain(&mut *reader(&log, [0]))), [(0, 1, "before\n"), (0, 2, "after\n")]);

    // Also if nobody appends.
    std::fs::remove_file(bench.path.with_file_name("netqoe.db-wal")).unwrap();
    eventually("the log is failing", || log.healthy().is_err());
}

#[test]
fn all_links_to_a_file_find_its_lock() {
    let bench = Bench::new();
    let link = bench.path.with_file_name("link-to-netqoe.db");
    let folder = bench.path.with_file_name("folder");
    std::os::unix::fs::symlink(&bench.path, &link).unwrap();
    std::os::unix::fs::symlink(bench.path.parent().unwrap(), &folder).unwrap();
    let log = bench.open();
    for path in [&link, &folder.join("netqoe.db")] {
        assert!(matches!(open_error(&bench, path), LogError::InUse { .. }), "{path:?}");
    }
    log.close();
    SqliteLog::open(&link, bench.options()).unwrap();
    assert!(matches!(open_error(&bench, &bench.path), LogError::InUse { .. }));
}

#[test]
fn a_corrupt_file() {
    let bench = Bench::new();
    let log = bench.open();
    let records = (0..2_000).map(|n| (LogTime::from_ms(1_000 + n), vec![(Partition(0), vec![b'x'; 500])]));
    block_on(log.import(records)).unwrap();
    log.close();
    let mut bytes = std::fs::read(&bench.path).unwrap();
    bytes[4_096..].fill(0xa5);
    std::fs::write(&bench.path, bytes).unwrap();
    assert!(matches!(open_error(&bench, &bench.path), LogError::Corrupt { .. }));
    let error = SqliteLog::export(&bench.path, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
}

#[test]
fn values_that_no_log_writes() {
    for sql in [
        "UPDATE log_identity SET partitions = 0",
        "UPDATE log_identity SET partitions = 'many'",
        "INSERT INTO log_records (seq, partition, log_time, end_byte, lines) VALUES (-1, 0, 0, 0, x'')",
    ] {
        let bench = Bench::new();
        bench.open().close();
        with_sql(&bench, sql);
        assert!(matches!(open_error(&bench, &bench.path), LogError::Corrupt { .. }), "{sql}");
    }
}

#[test]
fn a_folder_that_is_not_there() {
    let bench = Bench::new();
    let path = bench.path.with_file_name("missing").join("netqoe.db");
    assert!(matches!(open_error(&bench, &path), LogError::Open { .. }));
}

#[test]
fn a_file_that_is_in_use() {
    let bench = Bench::new();
    let log = bench.open();
    assert!(matches!(open_error(&bench, &bench.path), LogError::InUse { .. }));
    log.close();
    bench.open();
}

#[test]
fn a_file_that_is_in_use_under_another_name() {
    let bench = Bench::new();
    let link = bench.path.with_file_name("link-to-netqoe.db");
    std::os::unix::fs::symlink(&bench.path, &link).unwrap();
    let log = bench.open();
    assert!(matches!(open_error(&bench, &link), LogError::InUse { .. }));
    log.close();
    SqliteLog::open(&link, bench.options()).unwrap();
}

#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, "{}").unwrap();
    let folder = bench.path.parent().unwrap();
    let files: Vec<_> = folder.read_dir().unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 3, "the file, its lock, and what SQLite keeps beside it: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn a_lock_of_somebody_else_is_named_and_passes() {
    let bench = Bench::new();
    let log = bench.open();
    let holder = rusqlite::Connection::open(&bench.path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = append(&log, 0, "meanwhile").unwrap_err().to_string();
    assert!(error.contains("another program has locked the file") && !error.contains("free space"), "{error}");
    let health = log.healthy().unwrap_err();
    assert!(health.contains("locked") && !health.contains("netqoe.db"), "{health}");
    holder.execute_batch("ROLLBACK").unwrap();
    append(&log, 0, "after").unwrap();
    eventually("the log is healthy", || log.healthy().is_ok());
}

#[test]
fn tables_of_another_program() {
    let bench = Bench::new();
    with_sql(&bench, "CREATE TABLE log_records (name TEXT)");
    let error = open_error(&bench, &bench.path);
    assert!(matches!(error, LogError::Schema { .. }), "{error:?}");
    assert!(error.to_string().contains("another program") && error.to_string().len() < 300, "{error}");
}

#[test]
fn a_write_that_fails_is_answered_and_tried_again() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, "before").unwrap();
    with_sql(&bench, "CREATE TRIGGER fail BEFORE INSERT ON log_records BEGIN SELECT raise(ABORT, 'no room'); END");
    let error = append(&log, 0, "meanwhile").unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");
    assert!(matches!(error, AppendError::Failed { .. }));
    with_sql(&bench, "DROP TRIGGER fail");
    append(&log, 0, "after").unwrap();
    eventually("the log is healthy", || log.healthy().is_ok());
    assert_eq!(texts(&drain(&mut *reader(&log, [0]))), [(0, 1, "before\n"), (0, 2, "after\n")]);
}

#[test]
fn a_log_that_failed_is_tried_while_nobody_appends() {
    let bench = Bench::new();
    let log = bench.open();
    for table in ["INSERT ON log_records", "UPDATE ON log_identity"] {
        let name = &table[..6];
        with_sql(
            &bench,
            &format!("CREATE TRIGGER fail_{name} BEFORE {table} BEGIN SELECT raise(ABORT, 'no room'); END"),
        );
    }
    append(&log, 0, "{}").unwrap_err();
    assert!(log.healthy().unwrap_err().contains("no room"));
    with_sql(&bench, "DROP TRIGGER fail_INSERT; DROP TRIGGER fail_UPDATE");
    eventually("the log is healthy", || log.healthy().is_ok());
}
