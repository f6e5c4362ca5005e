//! Labels of clients and targets: shown, and as dimensions.

use netqoe_model::{AggregateRow, Label, Severity};
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    a_row_has_its_labels_or_none,
    the_overview_groups_by_the_label_that_is_asked_for,
    the_matrix_has_the_labels_of_both_sides,
    a_compared_pair_has_the_labels_of_most_of_its_windows,
    labels_are_dimensions_of_what_is_different,
    the_values_of_a_label_have_scores,
    what_is_no_label_is_refused,
    without_labels_there_are_none,
);

const CORE: &str = r#"{"site":"Oslo","team":"core"}"#;
const EDGE: &str = r#"{"team":"<b>\"'; DROP\u202e"}"#;
const EDGE_TEAM: &str = "<b>\"'; DROP\u{202e}";
const SHOP: &str = r#"{"service":"shop"}"#;

/// Ten minutes of `a` and `b` of the team `core`, of `c` of another one, and of `d` without labels. The shop is hurt for `core` in the last four.
fn rows() -> Vec<AggregateRow> {
    let mut rows = Vec::new();
    for minute in 0..10 {
        for (client_id, team) in [("a", CORE), ("b", CORE), ("c", EDGE), ("d", "{}")] {
            let is_hurt = minute >= 6 && team == CORE;
            let label = if is_hurt { Label::ServerBound } else { Label::Healthy };
            let shop = as_bad_as(Severity::Minor, diagnosed(row(client_id, "t", minute), label));
            rows.push(labelled(team, SHOP, shop));
            rows.push(labelled(team, "{}", diagnosed(row(client_id, "u", minute), Label::Healthy)));
        }
    }
    rows
}

fn range(path: &str) -> String {
    format!("/api/v1/{path}from={}&to={}", minute_ms(0), minute_ms(10))
}

async fn a_row_has_its_labels_or_none(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let of = async |client: &str, target: &str| {
        let answer = api.get(&format!("/api/v1/aggregates?client_id={client}&target={target}&limit=1")).await;
        ["client_labels", "target_labels"].map(|labels| answer.body["items"][0][labels].clone())
    };
    assert_eq!(of("a", "t").await, [json!({"site": "Oslo", "team": "core"}), json!({"service": "shop"})]);
    assert_eq!(of("c", "u").await, [json!({ "team": EDGE_TEAM }), json!({})]);
    assert_eq!(of("d", "u").await, [json!({}), json!({})]);
}

async fn the_overview_groups_by_the_label_that_is_asked_for(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let overview = api.get(&range("overview?")).await.body;
    // Six pairs carry a team, four of them a site, and four a service.
    assert_eq!(overview["label_dimensions"], json!(["client.team", "client.site", "target.service"]));
    assert_eq!((&overview["label_dimensions_left_off"], &overview["by_label"]), (&json!(0), &json!([])));
    let by_team = api.get(&range("overview?by=client.team&")).await.body;
    let core = json!([{
        "value": "core", "label": "server-bound", "severity": "minor", "since": minute_ms(9), "degraded_pairs": 2,
        "pairs": 4, "clients": ["a", "b"], "client_count": 2, "targets": ["t"], "target_count": 1,
    }]);
    assert_eq!((&by_team["by_label"], &by_team["by_label_left_off"]), (&core, &json!(0)));
    let first = &by_team["diagnoses"][0];
    let labels = (json!({"site": "Oslo", "team": "core"}), json!({"service": "shop"}));
    assert_eq!((&first["client_labels"], &first["target_labels"]), (&labels.0, &labels.1));
    let by_service = api.get(&range("overview?by=target.service&")).await.body;
    assert_eq!((&by_service["by_label"][0]["value"], &by_service["by_label"][0]["pairs"]), (&json!("shop"), &json!(4)));
    let by_unknown = api.get(&range("overview?by=client.unknown&")).await.body;
    assert_eq!((&by_unknown["by_label"][0]["value"], &by_unknown["by_label"][0]["pairs"]), (&json!(null), &json!(8)));
}

async fn the_matrix_has_the_labels_of_both_sides(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let matrix = api.get(&range("matrix?")).await.body;
    let labels: Vec<_> = matrix["clients"].as_array().unwrap().iter().map(|client| client["labels"].clone()).collect();
    let core = json!({"site": "Oslo", "team": "core"});
    assert_eq!(labels, [core.clone(), core, json!({ "team": EDGE_TEAM }), json!({})]);
    assert_eq!(matrix["target_labels"], json!([{"service": "shop"}, {}]));
}

async fn a_compared_pair_has_the_labels_of_most_of_its_windows(kind: Kind) {
    let mut rows = rows();
    for row in rows.iter_mut().filter(|row| &*row.client_id == "a").take(6) {
        *row = labelled(r#"{"team":"old"}"#, SHOP, row.clone());
    }
    let api = Api::on(kind, &rows).await;
    let pairs = api.get(&range("compare?target=t&")).await.body["pairs"].clone();
    let of = |client_id: &str| pairs.as_array().unwrap().iter().find(|pair| pair["client_id"] == client_id).unwrap();
    assert_eq!(of("a")["client_labels"], json!({"site": "Oslo", "team": "core"}));
    assert_eq!((&of("d")["client_labels"], &of("d")["target_labels"]), (&json!({}), &json!({"service": "shop"})));
}

async fn labels_are_dimensions_of_what_is_different(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let inside = format!("different?inside_from={}&inside_to={}&", minute_ms(6), minute_ms(10));
    let body = api.get(&range(&inside)).await.body;
    let dimension = |name: &str| {
        let found = body["dimensions"].as_array().unwrap().iter().find(|it| it["dimension"] == name);
        found.map(|it| it["values"].clone()).unwrap_or_default()
    };
    let team = dimension("client.team");
    let of_core = json!({
        "value": "core", "inside_windows": 16, "inside_matching": 8, "outside_windows": 24, "outside_matching": 0,
        "inside_share": 0.5, "outside_share": 0.0, "difference": 0.5,
    });
    assert_eq!(team[0], of_core);
    let names: Vec<_> = team.as_array().unwrap().iter().map(|value| value["value"].clone()).collect();
    assert_eq!(names, [json!("core"), Value::Null, json!(EDGE_TEAM)]);
    assert_eq!(dimension("target.service")[0]["value"], "shop");
    assert_eq!(body["label_dimensions_left_off"], 0);
}

async fn the_values_of_a_label_have_scores(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let body = api.get(&range("score?by=client.team&")).await.body;
    assert_eq!(body["by"], "client.team");
    let items = body["items"].as_array().unwrap();
    let mut pairs: Vec<_> =
        items.iter().map(|item| (item["value"].as_str(), item["pairs"].as_u64().unwrap())).collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [(None, 2), (Some(EDGE_TEAM), 2), (Some("core"), 4)]);
    assert!(items.iter().all(|item| item["client_id"].is_null() && item["measurements"].as_u64() > Some(0)));
}

async fn what_is_no_label_is_refused(kind: Kind) {
    let api = Api::on(kind, &[]).await;
    for by in ["team", "client.", "client.a.b", "client.a-b", "Client.team", "server.team", "client.%00"] {
        for path in ["overview", "score"] {
            let answer = api.get(&format!("/api/v1/{path}?by={by}")).await;
            assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_request")), "{path} {by}");
        }
    }
}

async fn without_labels_there_are_none(kind: Kind) {
    let api = Api::on(kind, &[row("c", "t", 0)]).await;
    let overview = api.get("/api/v1/overview").await.body;
    assert_eq!((&overview["label_dimensions"], &overview["by_label"]), (&json!([]), &json!([])));
    let inside = format!("/api/v1/different?inside_from={}&inside_to={}", minute_ms(0), minute_ms(1));
    let different = api.get(&inside).await.body;
    let dimensions = different["dimensions"].as_array().unwrap();
    assert!(dimensions.iter().all(|it| !it["dimension"].as_str().unwrap().contains('.')), "{different}");
}
