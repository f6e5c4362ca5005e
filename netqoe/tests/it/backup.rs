//! A backup that is taken while events come, and a restored folder that goes on as if nothing had happened.

use std::path::Path;
use std::process::Output;

use crate::support::*;

fn run(arguments: &[&str], paths: [&Path; 2]) -> Output {
    let mut command = netqoe();
    command.args([arguments[0], arguments[1]]).arg(paths[0]).arg(arguments[2]).arg(paths[1]).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// Sends events of one moment: a copy with another time may be another window's.
fn send(port: u16, ts_ms: i64, from: usize, to: usize) {
    for number in from..to {
        let mut event = event(&format!("event-{number}"), &format!("client-{}", number % 7));
        event["ts_ms"] = ts_ms.into();
        assert_eq!(post(port, &[JSON], event.to_string()).unwrap().status, 200);
    }
}

/// A moment whose window stays open for five minutes.
fn soon_ms() -> i64 {
    now_ms() + 120_000
}

#[test]
fn a_restored_folder_goes_on_where_the_backup_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, restored] = ["data", "copy.db", "restored"].map(|name| folder.path().join(name));
    let ts_ms = soon_ms();
    let (up, port) = Server::start_and_wait(&data, &NO_RATE);
    send(port, ts_ms, 0, 200);
    // Events go on while it is taken.
    let taken = std::thread::scope(|scope| {
        let taking = scope.spawn(|| run(&["backup", "--data", "--to"], [&data, &copy]));
        send(port, ts_ms, 200, 400);
        taking.join().unwrap()
    });
    assert!(taken.status.success(), "{}", said(&taken));
    assert!(said(&taken).contains("records of the event log, checked"), "{}", said(&taken));
    assert_eq!(netqoe_datafile::open_mode(&copy).unwrap(), None, "others may read it");
    send(port, ts_ms, 400, 500);
    up.kill();

    let again = run(&["backup", "--data", "--to"], [&data, &copy]);
    assert!(!again.status.success() && said(&again).contains("exists: choose another name"), "{}", said(&again));
    let done = run(&["restore", "--from", "--data"], [&copy, &restored]);
    assert!(done.status.success(), "{}", said(&done));
    let over = run(&["restore", "--from", "--data"], [&copy, &data]);
    assert!(!over.status.success() && said(&over).contains("exists: restore into another folder"), "{}", said(&over));

    let (up, port) = Server::start_and_wait(&restored, &NO_RATE);
    // Some of these came before the backup, and are duplicates.
    send(port, ts_ms, 150, 600);
    up.stop();
    let store = restored.join(DATA_FILE);
    let ledger = ledger(&store);
    assert_eq!(
        (ledger[1], ledger[0]),
        (600, ledger[1] + ledger[2]),
        "{ledger:?}: read, accepted, duplicate, late, invalid"
    );
    let replayed = folder.path().join("replayed.db");
    replay(folder.path().join("none").as_path(), &export(&restored), &replayed, &[]);
    assert_eq!(rows(&store), rows(&replayed));
}

#[test]
fn a_damaged_file_is_not_backed_up_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy] = ["data", "copy.db"].map(|name| folder.path().join(name));
    let (up, port) = Server::start_and_wait(&data, &NO_RATE);
    send(port, soon_ms(), 0, 20);
    up.stop();
    let store = rusqlite::Connection::open(data.join(DATA_FILE)).unwrap();
    let damage = "UPDATE log_records SET lines = zeroblob(length(lines)) \
                  WHERE seq = (SELECT max(seq) FROM log_records WHERE length(lines) > 0)";
    let changed = store.execute(damage, []);
    assert_eq!(changed.unwrap(), 1);
    drop(store);
    let taken = run(&["backup", "--data", "--to"], [&data, &copy]);
    assert!(!taken.status.success() && said(&taken).contains("damaged"), "{}", said(&taken));
    assert!(!copy.exists() && std::fs::read_dir(folder.path()).unwrap().count() == 1, "something was left");
    let none = run(&["backup", "--data", "--to"], [&folder.path().join("nothing"), &copy]);
    assert!(!none.status.success() && said(&none).contains("there is no data file at"), "{}", said(&none));
}
