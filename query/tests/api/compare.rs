//! The pairs of a target or of a client.

use netqoe_model::Label;
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(pairs_of_a_target_come_worst_first, the_pairs_of_a_client, who_has_no_pairs_has_no_answer_either);

fn question(names: &str, from: i64, to: i64) -> String {
    format!("/api/v1/compare?{names}&max_points=10&from={}&to={}", minute_ms(from), minute_ms(to))
}

fn names(body: &Value) -> Vec<&str> {
    body["pairs"].as_array().unwrap().iter().map(|pair| pair["client_id"].as_str().unwrap()).collect()
}

async fn pairs_of_a_target_come_worst_first(kind: Kind) {
    let hurt = |client_id, minute| diagnosed(row(client_id, "t", minute), Label::DnsBound);
    let well = |client_id, minute| diagnosed(row(client_id, "t", minute), Label::Healthy);
    let mut slow = well("slow", 29);
    slow.window.percentiles[3] =
        slow.window.percentiles[3].map(|both| netqoe_model::Percentiles { p95: 900_000, ..both });
    let mut failed = row("failed", "t", 29);
    failed.window.count_success = 0;
    failed.window.percentiles = [None; 5];
    let rows = [
        well("now", 0),
        over(Some("cellular"), Some("another"), None, hurt("now", 28)),
        since(28, hurt("now", 29)),
        hurt("was", 1),
        hurt("was", 2),
        hurt("was", 14),
        well("was", 29),
        slow,
        failed,
        well("well", 29),
        row("another", "u", 29),
        hurt("silent", 3),
    ];
    let api = Api::on(kind, &rows).await;
    let body = api.get(&question("target=t", 0, 30)).await.body;
    // START_MS is a whole multiple of three minutes.
    assert_eq!((&body["point_ms"], &body["pairs_left_off"]), (&json!(180_000), &json!(0)));
    assert_eq!(body["start"], json!([minute_ms(0), minute_ms(3), minute_ms(12), minute_ms(27)]));
    assert_eq!(names(&body), ["now", "was", "silent", "slow", "well", "failed"]);
    let now = json!({
        "client_id": "now", "target": "t", "isp": "isp of now", "network_type": "wifi", "client_labels": {}, "target_labels": {},
        "windows": 3, "degraded_windows": 2, "count_total": 9, "count_error": 3,
        "ttfb_p95_max": 126.001, "total_p95_max": 15.301 + 26.5 + 126.001, "throughput_p50_min": 95.4,
        "label": "dns-bound", "severity": "major", "since": minute_ms(28),
        "values": [15.301, null, null, 15.301], "degraded": [0, 0, 0, 2],
    });
    assert_eq!(body["pairs"][0], now);
    assert_eq!((&body["phase"], &body["answered"]), (&json!("dns"), &json!([2, 1, 1, 4])));
    let was = &body["pairs"][1];
    assert_eq!((&was["label"], &was["severity"], &was["since"]), (&json!("healthy"), &json!(null), &json!(null)));
    assert_eq!(was["degraded"], json!([2, 0, 1, 0]));
    let silent = &body["pairs"][2];
    assert_eq!((&silent["label"], &silent["isp"]), (&json!(null), &json!("isp of silent")));
    let failed = &body["pairs"][5];
    assert_eq!((&failed["total_p95_max"], &failed["values"][3]), (&json!(null), &json!(null)));
}

async fn the_pairs_of_a_client(kind: Kind) {
    let rows = [row("c", "t", 0), row("c", "u", 5), row("c", "v", 60), row("d", "t", 0)];
    let api = Api::on(kind, &rows).await;
    let body = api.get(&question("client_id=c", 0, 60)).await.body;
    let targets: Vec<_> = body["pairs"].as_array().unwrap().iter().map(|pair| pair["target"].clone()).collect();
    assert_eq!(targets, ["t", "u"]);
    assert_eq!(
        api.get("/api/v1/compare?client_id=c").await.body["pairs"].as_array().unwrap().len(),
        2,
        "the last hour"
    );
}

async fn who_has_no_pairs_has_no_answer_either(kind: Kind) {
    let api = Api::on(kind, &[row("c", "t", 0)]).await;
    for names in ["target=u", "client_id=d", "client_id=%00", "target=%27--"] {
        let body = api.get(&question(names, -10, 10)).await.body;
        assert_eq!((&body["start"], &body["pairs"]), (&json!([]), &json!([])), "{names}");
    }
    assert_eq!(api.get(&question("target=t", 10, 20)).await.body["pairs"], json!([]));
    assert_eq!(api.get(&question("target=t", 20, 10)).await.body["pairs"], json!([]));
    let all = "/api/v1/compare?target=t&from=-9223372036854775808&to=9223372036854775807";
    assert_eq!(names(&api.get(all).await.body), ["c"]);
}

#[tokio::test]
async fn what_hurts_most_pairs_is_shown() {
    let hurt = |client_id: &str, label| diagnosed(row(client_id, "t", 0), label);
    let (handshake, total) = (26.5, 15.301 + 26.5 + 126.001);
    for (labels, phase, value) in [
        (vec![], "total", total),
        (vec![Label::Healthy], "total", total),
        (vec![Label::ErrorBound, Label::ErrorBound, Label::DnsBound], "total", total),
        (vec![Label::HandshakeBound], "handshake", handshake),
        (vec![Label::ServerBound, Label::DnsBound], "dns", 15.301),
        (vec![Label::ServerBound, Label::DnsBound, Label::ServerBound], "ttfb", 126.001),
        (vec![Label::ThroughputBound], "throughput", 95.4),
    ] {
        let mut rows: Vec<_> =
            labels.iter().enumerate().map(|(nth, label)| hurt(&format!("hurt-{nth}"), *label)).collect();
        rows.push(row("well", "t", 0));
        let body = Api::with(&rows).get("/api/v1/compare?target=t").await.body;
        assert_eq!((&body["phase"], &body["pairs"][0]["values"]), (&json!(phase), &json!([value])), "{labels:?}");
    }
}

#[tokio::test]
async fn those_beyond_a_number_are_left_off() {
    let rows: Vec<_> = (0..2_003).map(|nth| row(&format!("c-{nth}"), "t", 0)).collect();
    let body = Api::with(&rows).get("/api/v1/compare?target=t").await.body;
    assert_eq!((body["pairs"].as_array().unwrap().len(), &body["pairs_left_off"]), (2_000, &json!(3)));
}
