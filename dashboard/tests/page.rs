//! The page's files: compressed as asked for, kept for as long as they stay the same, and under a strict policy.

#![allow(clippy::unwrap_used)] // nothing here but tests

use std::io::Read;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// The text of `/` where npm was absent, or unwanted, when this was built.
const NO_PAGE: &str = "this netqoe was built without its page";

async fn get(path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Bytes) {
    let router: Router = netqoe_dashboard::page();
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    (head.status.as_u16(), head.headers, body.collect().await.unwrap().to_bytes())
}

/// The text of `/`, and the path of the script that it names; none where there is no page.
async fn script() -> Option<(String, String)> {
    let (status, _, body) = get("/", &[]).await;
    let html = String::from_utf8(body.to_vec()).unwrap();
    if status == 404 && html.starts_with(NO_PAGE) {
        eprintln!("nothing to look at: {html}");
        return None;
    }
    assert_eq!(status, 200);
    let (_, rest) = html.split_once("src=\"").unwrap();
    let script = rest.split('"').next().unwrap().to_owned();
    Some((html, script))
}

#[tokio::test]
async fn everything_is_under_the_policy() {
    for path in ["/", "/nothing.js"] {
        let (_, headers, _) = get(path, &[]).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    }
}

#[tokio::test]
async fn the_index_is_asked_for_each_time_and_sent_where_it_has_changed() {
    let Some((html, _)) = script().await else { return };
    assert!(!html.contains("<style") && !html.contains("http://") && !html.contains("https://"), "{html}");
    let (_, headers, _) = get("/", &[]).await;
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let tag = headers["etag"].to_str().unwrap();
    let (status, headers, body) = get("/", &[("if-none-match", &format!("\"other\", {tag}"))]).await;
    assert_eq!((status, body.len()), (304, 0));
    assert_eq!(headers["etag"], tag);
    assert_eq!(get("/", &[("if-none-match", "\"other\"")]).await.0, 200);
}

#[tokio::test]
async fn a_script_is_kept_for_ever_and_comes_as_the_browser_takes_it() {
    let Some((_, script)) = script().await else { return };
    let (status, headers, plain) = get(&script, &[]).await;
    assert_eq!((status, headers.get("content-encoding")), (200, None));
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert!(headers["content-type"].to_str().unwrap().starts_with("text/javascript"), "{headers:?}");
    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip, deflate", Some("gzip")),
        ("br;q=0, gzip;q=0.5", Some("gzip")),
        ("deflate", None),
        ("brotli", None),
    ] {
        let (_, headers, body) = get(&script, &[("accept-encoding", accepted)]).await;
        assert_eq!(headers.get("content-encoding").map(|value| value.to_str().unwrap()), encoding, "{accepted}");
        assert_eq!(headers["vary"], "accept-encoding");
        let text = match encoding {
            Some("br") => decompressed(brotli::Decompressor::new(&body[..], 4096)),
            Some(_) => decompressed(flate2::read::GzDecoder::new(&body[..])),
            None => body.to_vec(),
        };
        assert_eq!(text, plain, "{accepted}");
    }
    assert_eq!(get(&format!("{script}.br"), &[]).await.0, 404, "a twin is no file of its own");
}

fn decompressed(mut compressed: impl Read) -> Vec<u8> {
    let mut plain = Vec::new();
    compressed.read_to_end(&mut plain).unwrap();
    plain
}
