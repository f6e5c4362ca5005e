//! How the fleet is: the overview and the heatmap.

use netqoe_model::{AggregateRow, Label, Severity};
use netqoe_query::ExpiringCertificate;
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    the_overview_says_who_is_hurt_where_and_since_when,
    the_matrix_has_a_character_for_each_pair,
    both_are_of_the_windows_up_to_the_end_of_the_range,
    names_are_shown_as_they_are,
    nothing_is_known_of_an_empty_store_and_of_the_future,
);

fn hurt(client_id: &str, target: &str, minute: i64, label: Label, severity: Severity) -> AggregateRow {
    as_bad_as(severity, diagnosed(row(client_id, target, minute), label))
}

fn well(client_id: &str, target: &str, minute: i64) -> AggregateRow {
    diagnosed(row(client_id, target, minute), Label::Healthy)
}

/// Up to minute 9: `t` is hurt for `a` since 7 and for `b` since -4, which is before all ranges, `u` is well for `a`, of `c` too little is known,
/// `d` has been silent for too long.
fn rows() -> Vec<AggregateRow> {
    let mut rows = vec![
        well("a", "t", 5),
        well("a", "t", 6),
        hurt("a", "t", 7, Label::ServerBound, Severity::Minor),
        since(7, hurt("a", "t", 9, Label::ServerBound, Severity::Critical)),
        well("a", "u", 9),
        row("c", "u", 5),
        hurt("d", "u", 4, Label::ErrorBound, Severity::Critical),
    ];
    rows.extend((0..10).map(|minute| since(-4, hurt("b", "t", minute, Label::DnsBound, Severity::Major))));
    rows
}

fn range(path: &str, from: i64, to: i64) -> String {
    format!("/api/v1/{path}?from={}&to={}", minute_ms(from), minute_ms(to))
}

/// These members of an answer, or of a part of it.
pub(crate) fn members(answer: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), answer[name].clone())).collect()
}

async fn the_overview_says_who_is_hurt_where_and_since_when(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let body = api.get(&range("overview", 3, 20)).await.body;
    let counted = json!({
        "at": minute_ms(9), "window_ms": 60_000,
        "pairs": {"total": 4, "healthy": 1, "degraded": 2, "unknown": 1, "unmeasured": 0},
        "targets": {"total": 2, "degraded": 1}, "clients": {"total": 3, "degraded": 2},
        "freshness": {"newest_row_as_of": minute_ms(12) + 1, "newest_row_updated_at": WRITTEN_MS},
        "events": {"read": 0, "accepted": 0, "duplicate": 0, "late": 0, "invalid": 0},
        "by_target_left_off": 0, "by_client_left_off": 0, "by_isp_left_off": 0, "diagnoses_left_off": 0,
    });
    let names: Vec<_> = counted.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members(&body, &names), counted);
    // As many are bound by either: the first that a measurement meets stands for both.
    let by_target = json!([{
        "target": "t", "label": "dns-bound", "severity": "critical", "since": minute_ms(-4),
        "degraded_pairs": 2, "pairs": 2, "clients": ["a", "b"], "client_count": 2,
        "isps": ["isp of a", "isp of b"], "isp_count": 2, "all_isps": true,
    }]);
    assert_eq!(body["by_target"], by_target);
    let of_a = json!({"label": "server-bound", "severity": "critical", "since": minute_ms(7), "degraded_pairs": 1,
        "pairs": 2, "targets": ["t"], "target_count": 1});
    let of_b = json!({"label": "dns-bound", "severity": "major", "since": minute_ms(-4),
        "degraded_pairs": 1, "pairs": 1, "targets": ["t"], "target_count": 1});
    let with = |group: &Value, others: Value| {
        let mut group = group.as_object().unwrap().clone();
        group.extend(others.as_object().unwrap().clone());
        Value::Object(group)
    };
    let by_client = [("a", &of_a), ("b", &of_b)].map(|(client_id, group)| {
        with(group, json!({"client_id": client_id, "isp": format!("isp of {client_id}"), "network_type": "wifi"}))
    });
    assert_eq!(body["by_client"], json!(by_client));
    let by_isp = [("a", &of_a), ("b", &of_b)].map(|(client_id, group)| {
        with(group, json!({"isp": format!("isp of {client_id}"), "clients": [client_id], "client_count": 1}))
    });
    assert_eq!(body["by_isp"], json!(by_isp));
    let diagnosis = json!({
        "client_id": "a", "target": "t", "isp": "isp of a", "network_type": "wifi", "client_labels": {}, "target_labels": {}, "window_start_ts": minute_ms(9),
        "label": "server-bound", "severity": "critical", "since": minute_ms(7), "is_final": true,
        "evidence": evidence("ms", 7),
    });
    assert_eq!(body["diagnoses"][0], diagnosis);
    assert_eq!(body["diagnoses"][1]["client_id"], "b");
}

async fn the_matrix_has_a_character_for_each_pair(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let network = |client_id: &str| json!({"client_id": client_id, "isp": format!("isp of {client_id}"), "network_type": "wifi", "labels": {}});
    let expected = json!({
        "at": minute_ms(9), "clients": [network("a"), network("b"), network("c")], "targets": ["t", "u"], "target_labels": [{}, {}],
        "labels": ["sh", "d.", ".?"], "severities": ["30", "2.", ".0"],
        "clients_left_off": 0, "targets_left_off": 0,
    });
    assert_eq!(api.get(&range("matrix", 3, 20)).await.body, expected);
    let of_b = api.get(&format!("{}&client_id=b", range("matrix", 3, 20))).await.body;
    assert_eq!((&of_b["labels"], &of_b["clients"]), (&json!(["d"]), &json!([network("b")])));
    let of_u = api.get(&format!("{}&target=u", range("matrix", 3, 20))).await.body;
    assert_eq!((&of_u["labels"], &of_u["targets"]), (&json!(["h", "?"]), &json!(["u"])));
}

async fn both_are_of_the_windows_up_to_the_end_of_the_range(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let overview = api.get(&range("overview", 0, 7)).await.body;
    let pairs = json!({"total": 4, "healthy": 1, "degraded": 2, "unknown": 1, "unmeasured": 0});
    assert_eq!((&overview["at"], &overview["pairs"]), (&json!(minute_ms(6)), &pairs));
    let matrix = api.get(&range("matrix", 0, 7)).await.body;
    assert_eq!((&matrix["at"], &matrix["labels"]), (&json!(minute_ms(6)), &json!(["h.", "d.", ".?", ".e"])));
    // A window that begins within the range counts, wherever in a window the range ends.
    let within = format!("/api/v1/matrix?to={}", minute_ms(6) + 1);
    assert_eq!(api.get(&within).await.body["at"], json!(minute_ms(6)));
}

/// What a store may hold: every name that an event can have.
async fn names_are_shown_as_they_are(kind: Kind) {
    let names = ["<script>alert(1)</script>", "'; DROP TABLE agg_1m; --", "\u{1}\u{7f}\u{202e}", "👩‍👩‍👧", "%00?&="];
    let long = "é".repeat(127);
    let names: Vec<&str> = names.into_iter().chain([&*long, "\\", "\""]).collect();
    let rows: Vec<_> = names.iter().map(|name| hurt(name, name, 0, Label::DnsBound, Severity::Minor)).collect();
    let api = Api::on(kind, &rows).await;
    let matrix = api.get("/api/v1/matrix").await.body;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(matrix["targets"], json!(sorted));
    let clients = matrix["clients"].as_array().unwrap().iter().map(|client| client["client_id"].as_str().unwrap());
    assert_eq!(clients.collect::<Vec<_>>(), sorted);
    let overview = api.get("/api/v1/overview").await.body;
    assert_eq!(overview["pairs"]["degraded"], names.len());
    let diagnoses = overview["diagnoses"].as_array().unwrap();
    assert!(diagnoses.iter().all(|found| found["client_id"] == found["target"] && found["since"] == START_MS));
}

async fn nothing_is_known_of_an_empty_store_and_of_the_future(kind: Kind) {
    let api = Api::on(kind, &[]).await;
    let overview = api.get("/api/v1/overview").await.body;
    let nothing = json!({"total": 0, "healthy": 0, "degraded": 0, "unknown": 0, "unmeasured": 0});
    assert_eq!((&overview["at"], &overview["pairs"], &overview["diagnoses"]), (&json!(null), &nothing, &json!([])));
    let empty = json!({"at": null, "clients": [], "targets": [], "target_labels": [], "labels": [], "severities": [],
        "clients_left_off": 0, "targets_left_off": 0});
    assert_eq!(api.get("/api/v1/matrix").await.body, empty);

    let api = Api::on(kind, &rows()).await;
    let before = api.get(&range("overview", -20, -10)).await.body;
    assert_eq!((&before["at"], &before["pairs"]), (&json!(null), &nothing));
    let future = api.get(&range("overview", 1_000, 2_000)).await.body;
    assert_eq!((&future["at"], &future["pairs"]["total"]), (&json!(minute_ms(9)), &json!(4)));
}

#[tokio::test]
async fn a_provider_that_is_well_is_not_hurt_and_one_without_a_name_does_not_matter() {
    let api = Api::with(&[]);
    let rows = [
        hurt("a", "t", 0, Label::DnsBound, Severity::Minor),
        hurt("b", "t", 0, Label::DnsBound, Severity::Minor),
        well("c", "t", 0),
    ];
    api.write(&rows);
    let group = async |api: &Api| {
        // What was answered just now is answered for half a second.
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let body = api.get("/api/v1/overview").await.body;
        members(&body["by_target"][0], &["isps", "isp_count", "all_isps"])
    };
    assert_eq!(group(&api).await, json!({"isps": ["isp of a", "isp of b"], "isp_count": 2, "all_isps": false}));
    api.write(&[over(None, None, None, well("c", "t", 1))]);
    assert_eq!(group(&api).await, json!({"isps": ["isp of a", "isp of b"], "isp_count": 2, "all_isps": true}));
}

/// The client is on another network since; the hour in which it hurt was another one's.
#[tokio::test]
async fn the_past_is_told_by_the_networks_of_the_past() {
    let hurt = over(Some("wifi"), Some("Fjordnet"), None, hurt("a", "t", 0, Label::DnsBound, Severity::Minor));
    let api = Api::with(&[hurt, over(Some("cellular"), Some("Skymobile"), None, well("a", "t", 30))]);
    let past = api.get(&range("overview", -20, 10)).await.body;
    assert_eq!(past["by_isp"][0]["isp"], "Fjordnet");
    assert_eq!(
        members(&past["diagnoses"][0], &["isp", "network_type"]),
        json!({"isp": "Fjordnet", "network_type": "wifi"})
    );
    assert_eq!(past["by_client"][0]["isp"], "Fjordnet");
    assert_eq!(past["by_target"][0]["isps"], json!(["Fjordnet"]));
    let matrix = async |from, to| api.get(&range("matrix", from, to)).await.body["clients"][0].clone();
    assert_eq!(matrix(-20, 10).await["isp"], "Fjordnet");
    assert_eq!(
        matrix(20, 40).await,
        json!({"client_id": "a", "isp": "Skymobile", "network_type": "cellular", "labels": {}})
    );
}

#[tokio::test]
async fn who_asks_again_within_a_moment_gets_the_same_answer() {
    let api = Api::with(&[well("a", "t", 0)]);
    let first = api.get("/api/v1/overview").await.body;
    api.write(&[well("b", "t", 0)]);
    let total = async |question: &str| api.get(question).await.body["pairs"]["total"].clone();
    let again = total("/api/v1/overview").await;
    let another = total("/api/v1/overview?client_id=b").await;
    assert_eq!((&first["pairs"]["total"], another), (&json!(1), json!(1)), "another question has an answer of its own");
    assert!(again == 1 || again == 2, "on a slow machine the moment is over");
    while total("/api/v1/overview").await != 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_overview_of_the_present_tells_of_certificates_that_expire_soon() {
    let labels = |row: AggregateRow| match &*row.target {
        "u" => labelled(r#"{"team":"core"}"#, "{}", row),
        _ => row,
    };
    let api = Api::with(&rows().into_iter().map(labels).collect::<Vec<_>>());
    let left = |target: &str, days: i64| ExpiringCertificate {
        target: target.to_owned(),
        client_id: "a".to_owned(),
        issuer: Some("CN=An authority".to_owned()),
        expires_at: NOW_MS + days * 86_400_000,
        seen_at: NOW_MS,
    };
    api.certificates.set(vec![left("u", 9), left("t", -1), left("later", 14)]);
    let told = async |question: &str| {
        let body = api.get(&format!("/api/v1/overview{question}")).await.body;
        let names = |body: &Value| -> Vec<String> {
            let certificates = body["certificates"].as_array().unwrap();
            certificates.iter().map(|one| one["target"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(body["certificates_left_off"], 0);
        (names(&body), body["certificates"][0].clone())
    };
    let expired = json!({"target": "t", "client_id": "a", "issuer": "CN=An authority", "seen_at": NOW_MS,
        "expires_at": NOW_MS - 86_400_000});
    assert_eq!(told("").await, (vec!["t".to_owned(), "u".to_owned()], expired));
    assert_eq!(told("?target=u").await.0, ["u"]);
    assert_eq!(told("?client_id=b").await.0, [""; 0]);
    assert_eq!(told("?labelled=client.team=core").await.0, ["u"]);
    assert_eq!(told("?labelled=client.team=edge").await.0, [""; 0]);
}
