//! What is asked for is found, and nothing else.

use netqoe_model::Label;

use crate::support::*;

/// Two clients, two targets, three minutes; one diagnosis of each of two labels, and one window that is healthy.
fn api() -> Api {
    Api::with(&[
        row("a", "t", 0),
        row("a", "t", 1),
        diagnosed(row("a", "t", 2), Label::DnsBound),
        diagnosed(row("a", "u", 1), Label::Healthy),
        row("b", "t", 1),
        diagnosed(row("b", "u", 0), Label::ServerBound),
    ])
}

#[track_caller]
fn check(found: &Answer, expected: &[&str]) {
    assert_eq!(found.names(), expected);
    assert_eq!(found.next_cursor(), None);
}

#[tokio::test]
async fn aggregates() {
    let api = api();
    let from_1 = format!("from={}", minute_ms(1));
    let to_1 = format!("to={}", minute_ms(1));
    for (filter, expected) in [
        ("", &["a t 2", "b t 1", "a u 1", "a t 1", "b u 0", "a t 0"][..]),
        ("client_id=a", &["a t 2", "a u 1", "a t 1", "a t 0"]),
        ("target=t", &["a t 2", "b t 1", "a t 1", "a t 0"]),
        ("client_id=a&target=u", &["a u 1"]),
        (&from_1, &["a t 2", "b t 1", "a u 1", "a t 1"]),
        (&to_1, &["b u 0", "a t 0"]),
        (&format!("{from_1}&client_id=a&target=t"), &["a t 2", "a t 1"]),
        ("from=2025-12-06T00:01:00Z&to=2025-12-06T01:02:00%2B01:00", &["b t 1", "a u 1", "a t 1"]),
        ("label=dns-bound", &["a t 2"]),
        ("label=healthy", &["a u 1"]),
        ("label=dns-bound&client_id=b", &[]),
        ("label=server-bound&target=u", &["b u 0"]),
        ("label=error-bound", &[]),
        ("client_id=A", &[]),
        ("client_id=a%25", &[]),
        ("client_id=", &[]),
        ("target=t%27%20OR%201%3D1--", &[]),
        (&format!("{from_1}&{to_1}"), &[]),
    ] {
        check(&api.get(&format!("/api/v1/aggregates?{filter}")).await, expected);
    }
}

/// Ingest writes one spelling; rows of an older netqoe, and of logs of others, have any.
#[tokio::test]
async fn a_target_is_found_in_the_spelling_that_was_sent() {
    let rows = [row("a", "https://new.test/", 0), row("a", "https://old.test", 0), row("a", "https://old.test/", 1)];
    let api = Api::with(&rows);
    for (target, expected) in [
        ("https://new.test", &["a https://new.test/ 0"][..]),
        ("HTTPS%3A%2F%2FNEW.test%3A443", &["a https://new.test/ 0"]),
        ("https://new.test/", &["a https://new.test/ 0"]),
        ("https://old.test", &["a https://old.test 0"]),
        ("https://OLD.test", &["a https://old.test/ 1"]),
        ("https://unknown.test", &[]),
    ] {
        for more in ["", "&client_id=a&from=0"] {
            check(&api.get(&format!("/api/v1/aggregates?target={target}{more}")).await, expected);
        }
    }
}

#[tokio::test]
async fn diagnoses() {
    let api = api();
    let from_1 = format!("from={}", minute_ms(1));
    let to_1 = format!("to={}", minute_ms(1));
    for (filter, expected) in [
        ("", &["a t 2", "b u 0"][..]),
        ("client_id=a", &["a t 2"]),
        ("client_id=b&target=t", &[]),
        ("target=u", &["b u 0"]),
        (&from_1, &["a t 2"]),
        (&to_1, &["b u 0"]),
        ("label=server-bound", &["b u 0"]),
        ("label=throughput-bound", &[]),
    ] {
        check(&api.get(&format!("/api/v1/diagnoses?{filter}")).await, expected);
    }
}

#[tokio::test]
async fn clients() {
    let api = api();
    // Client a was seen in minutes 0 to 2, client b in 0 and 1.
    let (from_2, to_0) = (format!("from={}", minute_ms(2)), format!("to={}", minute_ms(0)));
    for (filter, expected) in [
        ("", &["a", "b"][..]),
        ("client_id=b", &["b"]),
        ("client_id=c", &[]),
        ("target=u", &["a", "b"]),
        ("target=v", &[]),
        (&from_2, &["a"]),
        (&to_0, &[]),
        ("label=dns-bound", &["a"]),
        ("label=dns-bound&target=u", &[]),
        ("label=server-bound&target=u", &["b"]),
    ] {
        check(&api.get(&format!("/api/v1/clients?{filter}")).await, expected);
    }
}

#[tokio::test]
async fn targets() {
    let api = api();
    let (from_2, to_1) = (format!("from={}", minute_ms(2)), format!("to={}", minute_ms(1)));
    for (filter, expected) in [
        ("", &["t", "u"][..]),
        ("client_id=a", &["t", "u"]),
        ("client_id=c", &[]),
        ("target=u", &["u"]),
        (&from_2, &["t"]),
        (&to_1, &["t", "u"]),
        ("label=dns-bound", &["t"]),
        ("label=server-bound&client_id=a", &[]),
    ] {
        check(&api.get(&format!("/api/v1/targets?{filter}")).await, expected);
    }
}
