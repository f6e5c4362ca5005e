//! Who may send.

use axum::body::Body;

use crate::support::*;

/// A browser sends what other sites make it send, also to the user's own machine.
#[tokio::test]
async fn without_tokens_no_page_of_another_site_sends() {
    let (localhost, evil) = (("host", "localhost:8081"), ("host", "evil.example:8081"));
    let (no_type, text) = (("accept", "*/*"), ("content-type", "text/plain"));
    let site = |site: &'static str| ("sec-fetch-site", site);
    let origin = |origin: &'static str| ("origin", origin);
    for media_type in [no_type, JSON, text] {
        for page in [
            &[localhost, site("cross-site"), origin("http://evil.example")][..],
            &[localhost, site("cross-site"), origin("http://localhost:8081")],
            &[localhost, site("cross-site")],
            &[localhost, site("same-site"), origin("http://localhost:3000")],
            &[localhost, origin("http://evil.example")],
            &[localhost, origin("http://localhost:3000")],
            &[localhost, origin("null")],
            // A name of the site's own that leads to this machine.
            &[evil, origin("http://evil.example:8081")],
            &[evil, site("same-origin"), origin("http://evil.example:8081")],
        ] {
            let api = Api::new();
            let answer = api.post(&[page, &[media_type]].concat(), "a body").await;
            answer.assert_refused(403, "forbidden");
            assert!(answer.message().starts_with("a page of another site has sent this"), "{answer:?}");
            assert_eq!(api.kept().len(), 0);
        }
        // Programs say nothing of a site, nor need they name this machine; and its own pages may.
        for own in [
            &[][..],
            &[localhost],
            &[evil],
            &[localhost, ("user-agent", "curl/8.0"), ("authorization", "Bearer demo-token")],
            &[localhost, site("same-origin"), origin("http://localhost:8081")],
            &[localhost, origin("http://localhost:8081")],
            &[localhost, site("none")],
        ] {
            let answer = Api::new().post(&[own, &[media_type]].concat(), "a body").await;
            assert_eq!(answer.status, 200, "{own:?} {media_type:?} {answer:?}");
        }
    }
    // A token is nothing that a browser would add by itself.
    let page = [localhost, origin("http://app.example"), ("authorization", "Bearer sender")];
    assert_eq!(Api::with_tokens("sender").post(&page, "a body").await.status, 200);
}

#[tokio::test]
async fn a_token_is_needed_where_tokens_are_configured() {
    let api = Api::with_tokens("good");
    for (authorization, allowed) in [
        (Some("Bearer good"), true),
        (Some("bearer  good "), true),
        (None, false),
        (Some("Bearer bad"), false),
        (Some("Bearer demo-token"), false),
        (Some("Bearer"), false),
        (Some("Bearer "), false),
        (Some("good"), false),
        (Some("Basic good"), false),
        (Some("Bearer good good"), false),
    ] {
        let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        let failures = api.metrics.ingest_auth_failures.get();
        let answer = api.post(&headers, "a body").await;
        if allowed {
            assert_eq!(answer.status, 200, "{authorization:?}");
        } else {
            answer.assert_refused(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        assert_eq!(api.metrics.ingest_auth_failures.get() - failures, u64::from(!allowed));
    }
    let twice = [("authorization", "Bearer good"), ("authorization", "Bearer good")];
    api.post(&twice, "a body").await.assert_refused(401, "unauthorized");
    assert_eq!(api.kept().len(), 2);
}

#[tokio::test]
async fn without_configured_tokens_a_wrong_one_is_still_wrong() {
    let api = Api::new();
    assert_eq!(api.post(&[], "a body").await.status, 200);
    assert_eq!(api.post(&[("authorization", "Bearer demo-token")], "a body").await.status, 200);
    api.post(&[("authorization", "Bearer other")], "a body").await.assert_refused(401, "unauthorized");
}

#[tokio::test]
async fn the_token_is_looked_at_before_the_body() {
    let never = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    Api::with_tokens("good").post(&[], never).await.assert_refused(401, "unauthorized");
}
