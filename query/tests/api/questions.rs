//! Questions over many windows that can't be answered: each says what to do.

use crate::support::*;

const ROUTES: [&str; 6] = [
    "overview?",
    "matrix?",
    "timeline?",
    "series?client_id=c&target=t&",
    "compare?target=t&",
    "different?inside_from=1&inside_to=2&",
];

async fn assert_invalid(question: &str, message: &str) {
    let answer = Api::with(&[row("c", "t", 0)]).get(&format!("/api/v1/{question}")).await;
    let expected = serde_json::json!({"error": "invalid_request", "message": message});
    assert_eq!((answer.status, &answer.body), (400, &expected), "{question}");
}

#[tokio::test]
async fn a_time_that_is_none() {
    for route in ROUTES {
        for name in ["from", "to"] {
            for time in ["", "now", "1.5", "2025-12-06", "99999999999999999999"] {
                let message = format!("{name} must be Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z");
                assert_invalid(&format!("{route}{name}={time}"), &message).await;
            }
        }
    }
    let message = "inside_from must be Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z";
    assert_invalid("different?inside_from=x&inside_to=2", message).await;
}

#[tokio::test]
async fn a_parameter_that_is_not_known_or_stands_twice() {
    for route in ROUTES {
        let answer = Api::with(&[]).get(&format!("/api/v1/{route}limit=5")).await;
        assert_eq!(answer.status, 400, "{route}");
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.starts_with("the parameters are not understood: unknown field `limit`"), "{message}");
        let message = "the parameters are not understood: duplicate field `from`";
        assert_invalid(&format!("{route}from=1&from=2"), message).await;
    }
}

#[tokio::test]
async fn a_label_without_a_value() {
    for route in ROUTES.into_iter().chain(["score?"]) {
        let message = "labelled must be a label and its value, written as client.NAME=VALUE or target.NAME=VALUE";
        assert_invalid(&format!("{route}labelled=client.team"), message).await;
    }
}

#[tokio::test]
async fn so_many_points_are_no_chart() {
    for route in ["series?client_id=c&target=t", "compare?client_id=c", "timeline?client_id=c"] {
        for points in ["9", "2001", "0", "-10", "1e3", "", "99999999999"] {
            let message = "max_points must be a whole number from 10 to 2000";
            assert_invalid(&format!("{route}&max_points={points}"), message).await;
        }
        for points in ["10", "2000"] {
            let answer = Api::with(&[]).get(&format!("/api/v1/{route}&max_points={points}")).await;
            assert_eq!(answer.status, 200, "{route} {points}");
        }
    }
}

#[tokio::test]
async fn names_that_are_missing_or_too_many() {
    for question in ["series", "series?client_id=c", "series?target=t"] {
        assert_invalid(question, "a series is of one pair; name it with client_id and target").await;
    }
    for question in ["compare", "compare?client_id=c&target=t"] {
        let message = "pairs of one client or of one target are compared; give client_id or target";
        assert_invalid(question, message).await;
    }
}

#[tokio::test]
async fn a_region_that_is_none() {
    for question in ["different", "different?inside_from=1", "different?inside_to=1"] {
        assert_invalid(question, "which region? give inside_from and inside_to").await;
    }
    for question in ["different?inside_from=1&inside_to=1", "different?inside_from=2&inside_to=1"] {
        assert_invalid(question, "the region is empty; inside_from must be before inside_to").await;
    }
}

#[tokio::test]
async fn bounds_of_no_metric_and_a_metric_without_bounds() {
    let region = "different?inside_from=1&inside_to=2";
    let metrics = "dns_p50, dns_p95, tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, \
        throughput_p95, count_error";
    for (more, message) in [
        ("min=1", "min and max are bounds of a metric; name it with metric"),
        ("metric=ttfb_p95", "which values match? give min or max"),
        ("metric=ttfb_p95&min=many", "min must be a number"),
        ("metric=ttfb_p95&max=NaN", "max must be a number"),
        ("metric=ttfb_p95&max=inf", "max must be a number"),
        ("metric=client_id&min=1", &format!("metric must be one of {metrics}")),
        ("metric=1%3D1--&min=1", &format!("metric must be one of {metrics}")),
    ] {
        assert_invalid(&format!("{region}&{more}"), message).await;
    }
}
