//! `/health` of `ingest` and `aggregate` while one of their servers is away.

use std::sync::Arc;

use netqoe_testbed::Postgres;

use crate::jetstream::stage::Stage;
use crate::support::{Server, eventually, get};

/// What is said of a part; none where it is well.
fn wrong(port: u16, part: &str) -> Option<String> {
    let health = get(port, "/health").unwrap();
    let message = health.json()["components"][part]["message"].as_str().map(str::to_owned);
    assert!(message.is_none() || health.status == 503, "{health:?}");
    message
}

#[test]
fn what_is_away_is_named_and_comes_back() {
    let mut stage = Stage::new();
    let mut postgres = Postgres::start().unwrap();
    let mut aggregate = Server::run(stage.aggregate(&postgres.url()), Arc::default());
    let (port, (ingest, ingest_port)) = (aggregate.port(), stage.ingest());
    let parts = [(ingest_port, "log"), (port, "log"), (port, "store"), (port, "pipeline")];
    eventually("all is well", || parts.iter().all(|(port, part)| wrong(*port, part).is_none()));

    postgres.stop().unwrap();
    eventually("the store is failing", || wrong(port, "store").is_some_and(|message| !message.contains("127.0.0.1")));
    assert_eq!(get(port, "/readyz").unwrap().status, 200, "what it has can be asked for as soon as the store is back");
    postgres.restart().unwrap();
    eventually("the store is back", || wrong(port, "store").is_none());

    stage.nats.kill().unwrap();
    for port in [port, ingest_port] {
        eventually("the log is failing", || wrong(port, "log").is_some_and(|message| message.contains("nats-server")));
        assert_eq!(get(port, "/readyz").unwrap().status, 503);
    }
    stage.nats.restart().unwrap();
    eventually("the log is back", || parts.iter().all(|(port, part)| wrong(*port, part).is_none()));
    ingest.stop();
    aggregate.stop();
}
