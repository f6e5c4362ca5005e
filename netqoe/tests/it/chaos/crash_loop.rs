//! A record that ends its process whenever it is read, in a cluster that a supervisor starts again and again.

use std::sync::Arc;
use std::time::Duration;

use netqoe_testbed::Database;
use serde_json::Value;

use crate::cluster_support::{Audit, Load, Log, Rig, Shape, Tables};
use crate::support::{JSON, Server, event, eventually, get, netqoe, post};

const POISON: &str = "the-poison";
/// Why its record is a dead letter.
const SET_ASIDE: &str = "processing this record failed 3 times";
const SHAPE: Shape = Shape { processes: 1, workers: 2 };
/// Load before the poison, and after it.
const LOAD: Duration = Duration::from_secs(3);

#[test]
#[ignore = "half a minute of crashes: cargo xtask chaos --planted"]
fn a_record_that_ends_its_process_is_set_aside_and_nothing_else() {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let mut rig = Rig::new(database.url());
    rig.environment.push(("NETQOE_PLANT", format!("poison={POISON}")));
    let (ingest, port) = rig.ready_ingest();
    let mut command = rig.aggregate(&rig.hosts(SHAPE.processes), SHAPE, 0);
    command.arg("--supervise");
    let mut supervisor = Server::run(command, Arc::default());
    supervisor.port();

    load(&rig, &port, 1);
    // Nothing else is on its way: it has a record of its own.
    let poison = event(POISON, "poisoner").to_string();
    assert_eq!(post(ingest.last_port(), &[JSON], &poison).unwrap().status, 200);
    load(&rig, &port, 2);
    eventually("it is set aside", || supervisor.has_logged("a record failed 3 times: it is set aside"));
    load(&rig, &port, 3);
    let lines = rig.lines();
    eventually("all else is read", || audit.lines_read() >= Some(lines));
    eventually("every window is closed", || audit.provisional_rows() == Some(0));
    assert_eq!(get(supervisor.last_port(), "/readyz").unwrap().status, 200);

    let letters: Vec<_> = letters(&rig).into_iter().filter(|letter| letter["reason"] == SET_ASIDE).collect();
    assert_eq!(letters.len(), 1, "{letters:?}");
    ingest.stop();
    supervisor.terminate();
    let (code, log) = supervisor.wait();
    assert_eq!(code, Some(0), "{log}");
    println!("{} crashes", log.matches("it is started again").count());
    check(&rig, &database, &audit);
}

/// Loads the cluster for a while.
fn load(rig: &Rig, port: &Arc<std::sync::atomic::AtomicU16>, seed: u64) {
    let load = Load::start(seed, std::slice::from_ref(port), &rig.nats.url());
    std::thread::sleep(LOAD);
    load.stop();
}

/// The dead letters in their stream.
fn letters(rig: &Rig) -> Vec<Value> {
    let mut command = netqoe();
    command.args(["dlq", "list", "--limit", "1000"]).env("NETQOE_NATS_URL", rig.nats.url());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The store is what the log says without that record, which counts as invalid.
fn check(rig: &Rig, database: &Database, audit: &Audit) {
    let mut exported = Vec::new();
    let log = rig.log();
    log.export(&mut exported).unwrap();
    log.close();
    let text = String::from_utf8_lossy(&exported);
    let (poison, harmless): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.contains(POISON));
    assert_eq!(poison.len(), 1);
    let folder = tempfile::tempdir().unwrap();
    let replayed = Log::new((harmless.join("\n") + "\n").as_bytes()).replayed(folder.path(), rig.correction_horizon);
    let live = Tables::postgres(database.url());
    assert!(live.rows == replayed.rows && live.diagnoses == replayed.diagnoses && live.clients == replayed.clients);
    let [read, accepted, duplicate, late, invalid] = replayed.ledger();
    assert_eq!(live.ledger(), [read + 1, accepted, duplicate, late, invalid + 1]);
    assert_eq!(audit.problems(), Vec::<String>::new());
}
