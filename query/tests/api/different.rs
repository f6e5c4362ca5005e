//! What differs inside a region.

use netqoe_model::{AggregateRow, Label, Metric, Percentiles};
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    the_dimension_that_differs_most_comes_first,
    windows_match_by_a_metric,
    a_value_without_windows_inside_is_left_out_and_one_without_any_outside_held_against_all,
    a_region_beyond_the_range_has_nothing_inside,
    a_client_that_moved_counts_for_the_network_of_each_window,
);

fn question(more: &str, [from, inside_from, inside_to, to]: [i64; 4]) -> String {
    let [from, inside_from, inside_to, to] = [from, inside_from, inside_to, to].map(minute_ms);
    format!("/api/v1/different?from={from}&to={to}&inside_from={inside_from}&inside_to={inside_to}{more}")
}

/// Two clients and two targets over ten minutes; `t` is hurt in minutes 4 to 6, and for `b` also in minute 0.
fn rows() -> Vec<AggregateRow> {
    let mut rows = Vec::new();
    for minute in 0..10 {
        for (client_id, target) in [("a", "t"), ("a", "u"), ("b", "t"), ("b", "u")] {
            let is_hurt = target == "t" && ((4..7).contains(&minute) || (client_id, minute) == ("b", 0));
            let label = if is_hurt { Label::ServerBound } else { Label::Healthy };
            rows.push(diagnosed(row(client_id, target, minute), label));
        }
    }
    rows
}

fn dimensions(body: &Value) -> Vec<&str> {
    body["dimensions"].as_array().unwrap().iter().map(|it| it["dimension"].as_str().unwrap()).collect()
}

async fn the_dimension_that_differs_most_comes_first(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let body = api.get(&question("", [0, 4, 7, 10])).await.body;
    assert_eq!(body["matches"], "degraded");
    assert_eq!(body["inside"], json!({"windows": 12, "matching": 6}));
    assert_eq!(body["outside"], json!({"windows": 28, "matching": 1}));
    assert_eq!(dimensions(&body)[0], "target");
    let values = &body["dimensions"][0]["values"];
    let of_t = json!({
        "value": "t", "inside_windows": 6, "inside_matching": 6, "outside_windows": 14, "outside_matching": 1,
        "inside_share": 1.0, "outside_share": 1.0 / 14.0, "difference": 1.0 - 1.0 / 14.0,
    });
    assert_eq!((&values[0], &values[1]["value"], &values[1]["difference"]), (&of_t, &json!("u"), &json!(0.0)));
    let clients = body["dimensions"].as_array().unwrap().iter().find(|it| it["dimension"] == "client_id").unwrap();
    assert_eq!(clients["values"][0]["value"], "a");
    assert_eq!(clients["values"][0]["difference"], 0.5);
    let of_b = api.get(&question("&client_id=b", [0, 4, 7, 10])).await.body;
    assert_eq!((&of_b["inside"]["windows"], &of_b["outside"]["matching"]), (&json!(6), &json!(1)));
    let of_u = api.get(&question("&target=u", [0, 4, 7, 10])).await.body;
    assert_eq!((&of_u["inside"]["windows"], &of_u["inside"]["matching"]), (&json!(6), &json!(0)));
}

async fn windows_match_by_a_metric(kind: Kind) {
    let mut rows = rows();
    let ttfb = |p95| Some(Percentiles { p50: p95, p95 });
    rows[16].window.percentiles[Metric::Ttfb as usize] = ttfb(300_000);
    rows[20].window.percentiles[Metric::Ttfb as usize] = ttfb(900_000);
    rows[21].window.percentiles[Metric::Ttfb as usize] = None;
    let api = Api::on(kind, &rows).await;
    for (bounds, says, matching) in [
        ("&metric=ttfb_p95&min=300&max=900", "ttfb_p95 from 300 to 900", 2),
        ("&metric=ttfb_p95&min=300.5", "ttfb_p95 from 300.5", 1),
        ("&metric=ttfb_p95&max=200", "ttfb_p95 to 200", 9),
        ("&metric=count_error&min=1&max=1", "count_error from 1 to 1", 12),
        ("&metric=count_error&min=2", "count_error from 2", 0),
    ] {
        let body = api.get(&question(bounds, [0, 4, 7, 10])).await.body;
        assert_eq!((&body["matches"], &body["inside"]["matching"]), (&json!(says), &json!(matching)));
    }
}

async fn a_value_without_windows_inside_is_left_out_and_one_without_any_outside_held_against_all(kind: Kind) {
    let hurt = |client_id, minute| diagnosed(row(client_id, "t", minute), Label::ServerBound);
    let well = |client_id, minute| diagnosed(row(client_id, "t", minute), Label::Healthy);
    let api = Api::on(kind, &[hurt("new", 5), hurt("gone", 0), well("both", 0), hurt("both", 5)]).await;
    let body = api.get(&question("&target=t", [0, 4, 7, 10])).await.body;
    let clients = body["dimensions"].as_array().unwrap().iter().find(|it| it["dimension"] == "client_id").unwrap();
    let of = |name: &str| clients["values"].as_array().unwrap().iter().find(|it| it["value"] == name).unwrap();
    let shares = |name: &str| [&of(name)["inside_share"], &of(name)["outside_share"], &of(name)["difference"]];
    assert_eq!(shares("both"), [&json!(1.0), &json!(0.0), &json!(1.0)]);
    assert_eq!(shares("new"), [&json!(1.0), &json!(null), &json!(0.5)]);
    assert!(clients["values"].as_array().unwrap().iter().all(|it| it["value"] != "gone"));
}

async fn a_region_beyond_the_range_has_nothing_inside(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    for region in [[0, 100, 200, 10], [0, -20, -10, 10]] {
        let body = api.get(&question("", region)).await.body;
        assert_eq!(body["inside"], json!({"windows": 0, "matching": 0}), "{region:?}");
        assert_eq!(body["outside"], json!({"windows": 40, "matching": 7}), "{region:?}");
    }
    let nothing = json!({"windows": 0, "matching": 0});
    let body = Api::on(kind, &[]).await.get(&question("", [0, 4, 7, 10])).await.body;
    assert_eq!((&body["inside"], &body["outside"]), (&nothing, &nothing));
    assert_eq!(dimensions(&body).len(), 5);
    assert!(body["dimensions"].as_array().unwrap().iter().all(|it| it["values"] == json!([])));
}

#[tokio::test]
async fn values_are_listed_up_to_a_number() {
    let rows: Vec<_> = (0..60)
        .map(|nth| {
            let label = if nth == 17 { Label::DnsBound } else { Label::Healthy };
            diagnosed(row(&format!("c-{nth}"), "t", nth % 2), label)
        })
        .collect();
    let body = Api::with(&rows).get(&question("", [0, 1, 2, 3])).await.body;
    let clients = body["dimensions"].as_array().unwrap().iter().find(|it| it["dimension"] == "client_id").unwrap();
    let values = clients["values"].as_array().unwrap();
    assert_eq!((values.len(), &values[0]["value"]), (20, &json!("c-17")));
}

async fn a_client_that_moved_counts_for_the_network_of_each_window(kind: Kind) {
    let minute = |minute| {
        let hurt = diagnosed(row("a", "t", minute), Label::ServerBound);
        let well = diagnosed(row("a", "t", minute), Label::Healthy);
        match minute {
            0 => over(None, None, None, well),
            1..5 => over(Some("wifi"), Some("Fjordnet"), Some("home"), well),
            _ => over(Some("cellular"), Some("Skymobile"), None, hurt),
        }
    };
    let api = Api::on(kind, &(0..10).map(minute).collect::<Vec<_>>()).await;
    let body = api.get(&question("", [0, 4, 8, 10])).await.body;
    for (dimension, expected) in [
        ("isp", json!([["Skymobile", 3, 3, 2, 2], ["Fjordnet", 1, 0, 3, 0]])),
        ("network_type", json!([["cellular", 3, 3, 2, 2], ["wifi", 1, 0, 3, 0]])),
        ("site", json!([[null, 3, 3, 3, 2], ["home", 1, 0, 3, 0]])),
    ] {
        let values = body["dimensions"].as_array().unwrap().iter().find(|it| it["dimension"] == dimension).unwrap();
        let counts = |it: &Value| {
            let count = |name: &str| it[name].clone();
            json!([
                it["value"],
                count("inside_windows"),
                count("inside_matching"),
                count("outside_windows"),
                count("outside_matching"),
            ])
        };
        let mut found: Vec<_> = values["values"].as_array().unwrap().iter().map(counts).collect();
        found.sort_by_key(|it| std::cmp::Reverse(it[1].as_u64()));
        assert_eq!(json!(found), expected, "{dimension}");
    }
}
