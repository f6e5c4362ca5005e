//! Answers as the world writes them. Where curl shows a page, it is measured; the table says what curl 7.88 does.

use std::time::Duration;

use crate::loopback::{measure_url, plain_settings};
use crate::support::web_server::{Step, WebServer, answers};

/// The status and the bytes of the body, or nothing if it is a failure.
type Outcome = Option<(u16, u64)>;

const HELLO: Outcome = Some((200, 5));
const OK: &str = "HTTP/1.1 200 OK\r\n";
const END: &str = "Content-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";

async fn check(answer: &str, expected: Outcome) {
    let server = WebServer::start(answers(answer)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    let evidence = &measurement.evidence;
    let found = evidence.status.zip(evidence.body_bytes).filter(|_| measurement.failure.is_none());
    let shown: String = answer.chars().take(200).collect();
    assert_eq!(found, expected, "{shown:?}: {:?}", measurement.failure);
}

#[tokio::test]
async fn heads() {
    check(&format!("{OK}{}{END}", "X: v\r\n".repeat(5000)), HELLO).await;
    check(&format!("{OK}{}{END}", format!("X: {}\r\n", "v".repeat(1000)).repeat(250)), HELLO).await;
    check(&format!("{OK}{}{END}", "X: v\r\n".repeat(100_000)), None).await;
    for line in ["X: one\r\n  two", "X : one", "X: a\u{1}b", "X Y: z", "X-(Y): z", ": v", "X\u{e9}: \u{e9}", "X: a\rb"]
    {
        check(&format!("{OK}{line}\r\n{END}"), HELLO).await;
    }
    check("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", HELLO).await;
    for line in
        ["HTTP/1.1 200", "HTTP/1.1 200 ", "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200OK"]
    {
        check(&format!("{line}\r\n{END}"), HELLO).await;
    }
    check("HTTP/1.1 200 OK\r\nX: y\r\n", Some((200, 0))).await;
    for none in ["<html>hi</html>", "ICY 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK", ""] {
        check(none, None).await;
    }
    check(&format!("{OK}X: a\0b\r\n{END}"), None).await;
}

#[tokio::test]
async fn lengths() {
    check(&format!("{OK}Content-Length: 5\r\n{END}"), HELLO).await;
    check(&format!("{OK}Content-Length: 5, 5\r\n\r\nhello"), HELLO).await;
    check(&format!("{OK}Content-Length: 3\r\n{END}"), HELLO).await;
    check(&format!("{OK}Content-Length: 9\r\n\r\nhello"), None).await;
    check(&format!("{OK}Content-Length: 99999999999999999999999\r\n\r\nhello"), HELLO).await;
    check(&format!("{OK}\r\nhello"), HELLO).await;
    check(&format!("{OK}{END}, and more"), HELLO).await;
    check(&format!("HTTP/1.1 204 No Content\r\n{END}"), Some((204, 0))).await;
    check(&format!("HTTP/1.1 304 Not Modified\r\n{END}"), Some((304, 0))).await;
    check(&format!("HTTP/1.1 302 Found\r\nLocation:\r\n{END}"), Some((302, 5))).await;
}

#[tokio::test]
async fn chunks() {
    check(&format!("{OK}{CHUNKED}\r\n"), HELLO).await;
    check(&format!("HTTP/1.0 200 OK\r\n{CHUNKED}\r\n"), HELLO).await;
    check(&format!("{OK}Content-Length: 3\r\n{CHUNKED}\r\n"), HELLO).await;
    check(&format!("{OK}{CHUNKED}{}\r\n", "X: v\r\n".repeat(5000)), HELLO).await;
    check(&format!("{OK}{CHUNKED}"), None).await;
    check(&format!("{OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"), None).await;
}

#[tokio::test]
async fn interim_answers() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\n";
    check(&format!("{hints}{OK}{END}"), HELLO).await;
    check(&format!("{}{OK}{END}", "HTTP/1.1 100 Continue\r\n\r\n".repeat(5000)), HELLO).await;
    check(&format!("{}{OK}{END}", "HTTP/1.1 100 Continue\r\n\r\n".repeat(50_000)), None).await;
    // curl shows all that follows as the body of the 101.
    check(&format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{OK}{END}"), HELLO).await;
    check("HTTP/1.1 101 Switching Protocols\r\n\r\n", None).await;
}

/// The first byte of the answer itself decides.
#[tokio::test]
async fn an_early_hint_is_not_the_first_byte() {
    const THINKING: Duration = Duration::from_millis(120);
    let hints = Step::send("HTTP/1.1 103 Early Hints\r\n\r\n");
    let script = vec![Step::ReadRequest, hints, Step::Wait(THINKING), Step::send(&format!("{OK}{END}"))];
    let server = WebServer::start(script).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert!(measurement.phases.ttfb.unwrap().duration() >= THINKING, "{measurement:?}");
    let interim = &measurement.evidence.interim_answers;
    assert_eq!(interim.iter().map(|interim| interim.status).collect::<Vec<_>>(), [103]);
}
