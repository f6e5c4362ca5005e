//! Labels from the log to the list of incidents.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::support::{netqoe, query};

const START_MS: i64 = 1_700_000_040_000;
const CLIENTS: usize = 60;
const TEAMS: usize = 5;
const MINUTES: i64 = 15;

/// 60 clients of two providers, twelve of each team; from the tenth minute on, those of one team cannot connect.
fn log() -> String {
    let mut log = String::new();
    for minute in 0..MINUTES {
        for client in 0..CLIENTS {
            for target in 0..2 {
                let ts = START_MS + minute * 60_000 + 100 * client as i64;
                let fails = minute >= 9 && client % TEAMS == 2;
                let stage = if fails { "\"tcp\"" } else { "null" };
                writeln!(
                    log,
                    r#"{{"event_id":"e{minute}-{target}","client_id":"c-{client}","ts_ms":{ts},"target":"https://t{target}.test/","error_stage":{stage},"timing_measurements":{{"dns_ms":5,"tcp_ms":9,"ttfb_ms":20}},"network_context":{{"isp":"isp-{}"}},"client_labels":{{"team":"team-{}","floor":"{}"}},"target_labels":{{"tier":"1"}},"recv_ts_ms":{ts}}}"#,
                    client / 30,
                    client % TEAMS,
                    client % 2,
                )
                .unwrap();
            }
        }
    }
    log
}

fn incidents(store: &Path) -> Vec<Value> {
    let url = format!("sqlite:{}", store.display());
    let output = netqoe().args(["incidents", "--store", &url, "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_team_that_suffers_is_the_cause_for_any_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("events.ndjson");
    std::fs::write(&input, log()).unwrap();
    let of_workers = ["1", "3"].map(|workers| {
        let store = folder.path().join(format!("{workers}.db"));
        let url = format!("sqlite:{}", store.display());
        let output = netqoe().args(["replay", "--store", &url, "-w", workers, "--input"]).arg(&input).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let labels = query(&store, "SELECT DISTINCT client_labels, target_labels FROM agg_1m WHERE client_id = 'c-2'");
        let text = |json: &str| format!("{:?}", rusqlite::types::Value::Text(json.to_owned()));
        assert_eq!(labels, [[text(r#"{"floor":"0","team":"team-2"}"#), text(r#"{"tier":"1"}"#)]]);
        incidents(&store)
    });
    let [incident] = &of_workers[0][..] else { panic!("{:?}", of_workers[0]) };
    let cause = [&incident["label"], &incident["cause_dimension"], &incident["cause_value"]];
    assert_eq!(cause, ["error-bound", "client.team", "team-2"]);
    assert_eq!(incident["members"].as_array().unwrap().len(), 2 * CLIENTS / TEAMS);
    assert_eq!(of_workers[0], of_workers[1]);
}
