//! Single measurements of a cluster: found in the stream, page after page, also those that others have published.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::jetstream::stage::Stage;
use crate::support::{JSON, Server, event, eventually, get, now_ms, post};

#[test]
fn a_cluster_finds_the_measurements_of_a_client_in_its_stream() {
    let stage = Stage::new();
    let (ingest, port) = stage.ingest();
    let store = stage.store("store.db");
    let mut aggregate = Server::run(stage.aggregate(&store), Arc::default());
    let queries = aggregate.port();
    let posted: Vec<Value> = (0..50).map(|number| event(&number.to_string(), &format!("c-{}", number % 5))).collect();
    for batch in posted.chunks(10) {
        assert_eq!(post(port, &[JSON], json!(batch).to_string()).unwrap().status, 200);
    }
    let plain = event("by another", "c-1").to_string().into_bytes();
    stage.publish("telemetry.events", Box::leak(plain.into_boxed_slice()));

    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let question = format!("/api/v1/events?client_id=c-1&limit=4&to={}{cursor}", now_ms() + 1_000);
        let answer = get(queries, &question).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = answer.json();
        let items = answer["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["event"]["event_id"].as_str().unwrap().to_owned()));
        let Some(next) = answer["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let own = (0..50).rev().filter(|number| number % 5 == 1).map(|number| number.to_string());
    assert_eq!(ids, ["by another".to_owned()].into_iter().chain(own).collect::<Vec<_>>());

    eventually("rows count what is found", || {
        let rows = get(queries, "/api/v1/aggregates?client_id=c-1").unwrap().json();
        let counted = rows["items"].as_array().unwrap().iter().map(|row| row["count_total"].as_u64().unwrap());
        counted.sum::<u64>() == ids.len() as u64
    });
    ingest.stop();
    aggregate.stop();
}
