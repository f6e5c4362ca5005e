//! Store and log of a cluster are lost together, and restored from backups that were taken one after the other while events came:
//! `docs/operations/backup.md`, with a snapshot of the stream.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use async_nats::Client;
use bytes::Bytes;
use futures::StreamExt;
use netqoe_testbed::Database;
use postgres::NoTls;
use serde_json::{Value, json};

use crate::cluster_support::{Audit, Rig, Sent, Shape, Verdict};
use crate::support::{JSON, event, post};

const TWO: Shape = Shape { processes: 2, workers: 1 };
const STREAM: &str = "telemetry-events";

/// Posts events with these ids, all of which are acknowledged.
fn send(port: &AtomicU16, ids: &[String]) {
    let events: Vec<_> = ids.iter().enumerate().map(|(number, id)| event(id, &format!("c-{}", number % 9))).collect();
    assert_eq!(post(port.load(Ordering::SeqCst), &[JSON], json!(events).to_string()).unwrap().status, 200);
}

fn ids(of: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{of}-{number}")).collect()
}

#[test]
fn a_store_and_a_log_that_were_saved_one_after_the_other_go_on_together() {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let rig = Rig::new(database.url());
    let (ingest, port) = rig.ready_ingest();
    let group = rig.working_group(TWO);
    let [before, between, after, later] = ["before", "between", "after", "later"].map(|of| ids(of, 70));
    send(&port, &before);
    group.settle(&audit, 70);

    // The store first, then the log, while events come.
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("netqoe.dump");
    run("pg_dump", &["--format=custom", "--file"], &dump, database.url());
    send(&port, &between);
    let snapshot = with_nats(&rig, async |client| Snapshot::take(client).await);
    send(&port, &after);
    group.settle(&audit, 210);
    group.stop(0);
    ingest.stop();

    let mut store = postgres::Client::connect(database.url(), NoTls).unwrap();
    store.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").unwrap();
    with_nats(&rig, async |client| {
        async_nats::jetstream::new(client).delete_stream(STREAM).await.unwrap();
    });
    run("pg_restore", &["--dbname", database.url()], &dump, "");
    with_nats(&rig, async |client| snapshot.restore(client).await);

    let (ingest, port) = rig.ready_ingest();
    let group = rig.working_group(TWO);
    send(&port, &later);
    group.settle(&audit, 210);
    let acknowledged = [before, between, later].concat().into_iter().collect();
    let verdict = Verdict::of(&rig, database.url(), &audit, &Sent { acknowledged, ..Sent::default() });
    assert_eq!(verdict.problems, Vec::<String>::new());
    assert_eq!(verdict.figures.lines, 210, "what came after the backup is gone, and nothing else");
    group.stop(0);
    ingest.stop();
}

/// Runs one of PostgreSQL's programs on a file.
#[track_caller]
fn run(program: &str, options: &[&str], file: &Path, database: &str) {
    let mut command = Command::new(program);
    command.args(options).arg(file).args(Some(database).filter(|url| !url.is_empty()));
    assert!(command.status().unwrap().success(), "{program}");
}

fn with_nats<T>(rig: &Rig, work: impl AsyncFnOnce(Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { work(async_nats::connect(rig.nats.url()).await.unwrap()).await })
}

/// A snapshot of the stream, as `nats stream backup` takes it and `nats stream restore` gives it back: by the same requests.
struct Snapshot {
    /// The stream's configuration and state.
    about: Value,
    chunks: Vec<Bytes>,
}

impl Snapshot {
    async fn take(client: Client) -> Self {
        let inbox = client.new_inbox();
        let mut arriving = client.subscribe(inbox.clone()).await.unwrap();
        let about = ask(&client, "SNAPSHOT", &json!({ "deliver_subject": inbox, "no_consumers": false })).await;
        let mut chunks = Vec::new();
        loop {
            let chunk = arriving.next().await.unwrap();
            if chunk.payload.is_empty() {
                break;
            }
            chunks.push(chunk.payload);
            if let Some(reply) = chunk.reply {
                client.publish(reply, Bytes::new()).await.unwrap();
            }
        }
        assert!(!chunks.is_empty());
        Self { about, chunks }
    }

    async fn restore(&self, client: Client) {
        let about = json!({ "config": self.about["config"], "state": self.about["state"] });
        let to = ask(&client, "RESTORE", &about).await["deliver_subject"].as_str().unwrap().to_owned();
        for chunk in &self.chunks {
            client.request(to.clone(), chunk.clone()).await.unwrap();
        }
        let made = client.request(to, Bytes::new()).await.unwrap();
        let made: Value = serde_json::from_slice(&made.payload).unwrap();
        assert_eq!((&made["error"], &made["config"]["name"]), (&Value::Null, &json!(STREAM)), "{made}");
    }
}

/// What JetStream answers to a request about the stream.
async fn ask(client: &Client, what: &str, with: &Value) -> Value {
    let subject = format!("$JS.API.STREAM.{what}.{STREAM}");
    let answer = client.request(subject, with.to_string().into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["error"], Value::Null, "{answer}");
    answer
}
