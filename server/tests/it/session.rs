//! Who may read, and the sessions of browsers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const SESSION: &str = "/api/v1/session";
const TOKENS: &str = "reader\nsender=probe-1\nsenders=lab-*";
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

async fn sign_in(api: &Api, token: &str, headers: &[(&str, &str)]) -> Answer {
    api.send("POST", SESSION, &[&[JSON], headers].concat(), json!({ "token": token }).to_string()).await
}

/// Name and value of the cookie that an answer sets, and what stands behind it.
fn cookie(answer: &Answer) -> (String, String) {
    let (pair, attributes) = answer.header("set-cookie").unwrap().split_once("; ").unwrap();
    (pair.to_owned(), attributes.to_owned())
}

async fn read(api: &Api, headers: &[(&str, &str)]) -> Answer {
    api.send("GET", READING, headers, "").await
}

async fn standing(api: &Api, headers: &[(&str, &str)]) -> (bool, bool) {
    let answer = api.send("GET", SESSION, headers, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")));
    assert_eq!(answer.body["version"], env!("CARGO_PKG_VERSION"));
    let is = |name: &str| answer.body[name].as_bool().unwrap();
    (is("token_needed"), is("signed_in"))
}

#[tokio::test]
async fn a_session_reads_for_a_day_and_longer_while_it_is_used() {
    let api = Api::with_tokens(TOKENS);
    assert_eq!(standing(&api, &[]).await, (true, false));
    let answer = sign_in(&api, "reader", &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (204, &json!("")));
    let (cookie, attributes) = cookie(&answer);
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=86400");
    assert!(!cookie.contains("reader"), "{cookie}");

    let among_others = format!("a=b; netqoe_session=junk; {cookie}; c");
    for header in [&cookie, &among_others] {
        assert_eq!(read(&api, &[("cookie", header)]).await.body, "read");
        assert_eq!(standing(&api, &[("cookie", header)]).await, (true, true));
    }
    api.clock.advance(HOUR - SECOND);
    assert_eq!(read(&api, &[("cookie", &cookie)]).await.header("set-cookie"), None, "few answers carry a cookie");
    api.clock.advance(23 * HOUR);
    let answer = read(&api, &[("cookie", &cookie), ("x-forwarded-proto", "https")]).await;
    let (renewed, attributes) = self::cookie(&answer);
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!("read")));
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=86400");
    api.clock.advance(SECOND);
    read(&api, &[("cookie", &cookie)]).await.assert_refused(401, "unauthorized");
    api.clock.advance(24 * HOUR - 2 * SECOND);
    assert_eq!(read(&api, &[("cookie", &renewed)]).await.status, 200);
    api.clock.advance(SECOND);
    read(&api, &[("cookie", &renewed)]).await.assert_refused(401, "unauthorized");
    let bearer = ("authorization", "Bearer reader");
    assert_eq!(
        read(&api, &[bearer, ("cookie", &renewed)]).await.header("set-cookie"),
        None,
        "a token needs no session"
    );
}

#[tokio::test]
async fn a_session_that_is_always_used_ends_after_thirty_days() {
    let api = Api::with_tokens(TOKENS);
    let (mut pair, _) = cookie(&sign_in(&api, "reader", &[]).await);
    let mut hours = 0;
    loop {
        api.clock.advance(12 * HOUR);
        hours += 12;
        let answer = read(&api, &[("cookie", &pair)]).await;
        if answer.status != 200 {
            break answer.assert_refused(401, "unauthorized");
        }
        let (renewed, attributes) = cookie(&answer);
        let max_age_s = 3_600 * (30 * 24 - hours).min(24);
        assert!(attributes.ends_with(&format!("; Max-Age={max_age_s}")), "after {hours} h: {attributes}");
        pair = renewed;
    }
    assert_eq!(hours, 30 * 24);
}

#[tokio::test]
async fn a_session_that_is_ended_reads_no_more_by_any_copy_of_its_cookie() {
    let api = Api::with_tokens(TOKENS);
    let (first, _) = cookie(&sign_in(&api, "reader", &[]).await);
    let (another, _) = cookie(&sign_in(&api, "reader", &[]).await);
    assert_ne!(first, another, "each session is one of its own");
    api.clock.advance(2 * HOUR);
    let (renewed, _) = cookie(&read(&api, &[("cookie", &first)]).await);
    let ended = api.send("DELETE", SESSION, &[("cookie", &renewed)], "").await;
    let (nothing, attributes) = cookie(&ended);
    assert_eq!((ended.status.as_u16(), nothing.as_str()), (204, "netqoe_session="));
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=0");

    assert_eq!(read(&api, &[("cookie", &another)]).await.status, 200, "no other session has ended");
    for hours in [1, 21, 24, 0] {
        for copy in [&first, &renewed] {
            let answer = read(&api, &[("cookie", copy)]).await;
            answer.assert_refused(401, "unauthorized");
            assert_eq!(answer.header("set-cookie"), None);
            assert_eq!(standing(&api, &[("cookie", copy)]).await, (true, false));
        }
        api.clock.advance(hours * HOUR);
    }
}

/// Who was ended is known to the process that ended it: another one, or the same after a restart, takes a copy of the cookie, for
/// no longer than it takes any that is not used.
#[tokio::test]
async fn a_restart_forgets_who_was_ended_and_the_copy_is_over_within_a_day() {
    let (before, after) = (Api::with_tokens(TOKENS), Api::with_tokens(TOKENS));
    let (copy, _) = cookie(&sign_in(&before, "reader", &[]).await);
    before.send("DELETE", SESSION, &[("cookie", &copy)], "").await;
    assert_eq!(read(&after, &[("cookie", &copy)]).await.status, 200);
    after.clock.advance(24 * HOUR);
    read(&after, &[("cookie", &copy)]).await.assert_refused(401, "unauthorized");
}

#[tokio::test]
async fn who_has_no_session_ends_none() {
    let api = Api::with_tokens(TOKENS);
    let (own, _) = cookie(&sign_in(&api, "reader", &[]).await);
    let (proof, last) = own.split_at(own.len() - 1);
    let forged = format!("{proof}{}", if last == "0" { '1' } else { '0' });
    for headers in [&[][..], &[("cookie", "netqoe_session=junk")], &[("cookie", &*forged)]] {
        assert_eq!(api.send("DELETE", SESSION, headers, "").await.status, 204);
    }
    assert_eq!(read(&api, &[("cookie", &own)]).await.status, 200);
}

#[tokio::test]
async fn a_cookie_is_secure_where_the_browser_came_over_tls() {
    let api = Api::with_tokens(TOKENS);
    for (forwarded, is_secure) in [("https", true), ("HTTPS, http", true), ("http", false), ("", false)] {
        let (_, attributes) = cookie(&sign_in(&api, "reader", &[("x-forwarded-proto", forwarded)]).await);
        assert_eq!(attributes.contains("; Secure; "), is_secure, "{forwarded}");
    }
}

#[tokio::test]
async fn a_session_holds_before_every_server_with_its_token_and_no_other() {
    let (cookie, _) = cookie(&sign_in(&Api::with_tokens(TOKENS), "reader", &[]).await);
    for (tokens, holds) in
        [(TOKENS, true), ("another\nreader", true), ("another", false), ("reader=probe-1", false), ("Reader", false)]
    {
        let answer = read(&Api::with_tokens(tokens), &[("cookie", &cookie)]).await;
        assert_eq!(answer.status.as_u16(), if holds { 200 } else { 401 }, "{tokens}");
    }
}

#[tokio::test]
async fn a_wrong_token_opens_nothing() {
    let api = Api::with_tokens(TOKENS);
    for token in ["", "Reader", "readerr", "demo-token"] {
        let answer = sign_in(&api, token, &[]).await;
        answer.assert_refused(401, "unauthorized");
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(api.metrics.ingest_auth_failures.get(), 4);
    for body in [json!({}), json!({ "token": 7 }), json!("reader"), Value::Null, json!({ "token": "x".repeat(20_000) })]
    {
        let answer = api.send("POST", SESSION, &[JSON], body.to_string()).await;
        answer.assert_refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_clients_may_send_and_not_read() {
    let api = Api::with_tokens(TOKENS);
    for token in ["sender", "senders"] {
        let authorization = ("authorization", &*format!("Bearer {token}"));
        assert_eq!(api.post(&[authorization], "a body").await.status, 200);
        for answer in [read(&api, &[authorization]).await, sign_in(&api, token, &[]).await] {
            answer.assert_refused(401, "unauthorized");
            assert!(answer.message().contains("may send their events, but not read"), "{answer:?}");
        }
    }
    assert_eq!(read(&api, &[("authorization", "Bearer reader")]).await.status, 200);
    read(&api, &[("authorization", "Bearer wrong")]).await.assert_refused(401, "unauthorized");
    read(&api, &[]).await.assert_refused(401, "unauthorized");
}

#[tokio::test]
async fn a_cookie_sends_nothing() {
    let api = Api::with_tokens(TOKENS);
    let (cookie, _) = cookie(&sign_in(&api, "reader", &[]).await);
    let answer = api.post(&[("cookie", &cookie)], "a body").await;
    answer.assert_refused(401, "unauthorized");
    assert_eq!(api.kept().len(), 0);
}

#[tokio::test]
async fn other_sites_change_nothing() {
    for api in [Api::new(), Api::with_tokens(TOKENS)] {
        let (cookie, _) = match api.send("GET", SESSION, &[], "").await.body["token_needed"] == true {
            true => cookie(&sign_in(&api, "reader", &[]).await),
            false => Default::default(),
        };
        let (host, cookie) = (("host", "localhost:8081"), ("cookie", &*cookie));
        for site in [&[JSON, ("sec-fetch-site", "cross-site")][..], &[JSON, ("origin", "http://evil.example")], &[]] {
            for (method, path) in [("POST", READING), ("POST", SESSION)] {
                let answer = api.send(method, path, &[&[host, cookie], site].concat(), r#"{"token":"reader"}"#).await;
                answer.assert_refused(403, "forbidden");
            }
        }
        let own = [host, cookie, ("sec-fetch-site", "same-origin")];
        assert_eq!(api.send("POST", READING, &own, "").await.body, "changed");
        assert_eq!(api.send("POST", READING, &[host, cookie, JSON], "").await.body, "changed");
    }
}

#[tokio::test]
async fn without_configured_tokens_everybody_here_reads() {
    let api = Api::new();
    assert_eq!(standing(&api, &[]).await, (false, true));
    assert_eq!(read(&api, &[]).await.status, 200);
    assert_eq!(read(&api, &[("cookie", "netqoe_session=1.2")]).await.status, 200);
    read(&api, &[("authorization", "Bearer wrong")]).await.assert_refused(401, "unauthorized");
}

#[tokio::test]
async fn without_tokens_nobody_reads_by_a_name_of_another_site() {
    let api = Api::new();
    assert_eq!(read(&api, &[("host", "localhost:8081")]).await.body, "read");
    read(&api, &[("host", "evil.example:8081")]).await.assert_refused(403, "forbidden");
    let with_tokens = Api::with_tokens(TOKENS);
    let reader = [("host", "netqoe.example"), ("authorization", "Bearer reader")];
    assert_eq!(read(&with_tokens, &reader).await.status, 200);
}
