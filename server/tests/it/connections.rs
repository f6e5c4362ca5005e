//! A real listener: slow, idle and too many clients are cut off, others are not disturbed, and stopping loses nothing.

use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use netqoe_server::{RequestMemory, ServerLimits, Tokens, listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::*;

struct Server {
    api: Api,
    listening: Listening,
}

fn start(api: Api, limits: ServerLimits) -> Server {
    let listening = listening(api.router.clone(), limits);
    Server { api, listening }
}

impl Server {
    /// Posts until it is answered by 200, as it must be once there is a place and time to write a request.
    async fn post_until_kept(&self) {
        let kept = async { while !self.post().await.starts_with("HTTP/1.1 200 OK") {} };
        tokio::time::timeout(PATIENCE, kept).await.expect("others are disturbed");
    }

    async fn post(&self) -> String {
        let mut connection = self.listening.connect().await;
        connection.write_all(request("a body", "close").as_bytes()).await.unwrap();
        rest_of(connection).await
    }
}

fn request(body: &str, connection: &str) -> String {
    request_to(SENDING, body, connection)
}

#[tokio::test]
async fn http_1_keeps_its_connection() {
    let server = start(Api::new(), ServerLimits::default());
    let mut connection = server.listening.connect().await;
    for _ in 0..3 {
        connection.write_all(request("a body", "keep-alive").as_bytes()).await.unwrap();
        assert!(one_answer(&mut connection).await.starts_with("HTTP/1.1 200 OK"));
    }
    assert_eq!(server.api.kept().len(), 3);
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_and_closed_when_idle() {
    let server = start(Api::new(), ServerLimits { idle_timeout: SHORT, ..ServerLimits::default() });
    let io = TokioIo::new(server.listening.connect().await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connected = tokio::spawn(connection);
    let body = Full::new(bytes::Bytes::from("a body"));
    let uri = format!("http://{}{SENDING}", server.listening.address);
    let answer = sender.send_request(http::Request::post(uri).body(body).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"{\"status\":\"ok\""));
    let ended = tokio::time::timeout(PATIENCE, connected).await;
    assert!(ended.is_ok(), "the server did not close the connection");
}

#[tokio::test]
async fn a_head_that_does_not_come_is_cut_off() {
    let server = start(Api::new(), ServerLimits { header_timeout: SHORT, ..ServerLimits::default() });
    let silent = server.listening.connect().await;
    let mut slow = server.listening.connect().await;
    slow.write_all(b"POST /sending HTTP/1.1\r\nhost: te").await.unwrap();
    server.post_until_kept().await;
    assert_eq!(rest_of(silent).await, "");
    assert_eq!(rest_of(slow).await, "");
}

#[tokio::test]
async fn a_later_head_that_does_not_come_is_cut_off_as_well() {
    let server = start(Api::new(), ServerLimits { header_timeout: SHORT, ..ServerLimits::default() });
    for begun in ["P", "POST /sending HTTP/1.1\r\nhost: te"] {
        let mut slow = server.listening.connect().await;
        slow.write_all(request("a body", "keep-alive").as_bytes()).await.unwrap();
        assert!(one_answer(&mut slow).await.starts_with("HTTP/1.1 200 OK"));
        slow.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(rest_of(slow).await, "", "{begun}");
    }
    // Behind a request on its way to the server, and long.
    let mut slow = server.listening.connect().await;
    let next = format!("GET /livez HTTP/1.1\r\nhost: test\r\nx: {}", "x".repeat(30_000));
    slow.write_all((request("a body", "keep-alive") + &next).as_bytes()).await.unwrap();
    assert!(rest_of(slow).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_head_of_http_2_that_does_not_come_is_cut_off() {
    let server = start(Api::new(), ServerLimits { header_timeout: SHORT, ..ServerLimits::default() });
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // A whole request for /livez, then the head of one that goes on and on.
    let block = b"\x82\x86\x04\x06/livez\x41\x04test";
    let whole = [&[0, 0, block.len() as u8, 1, 5, 0, 0, 0, 1][..], block].concat();
    let begun = [&[0, 0, block.len() as u8, 1, 1, 0, 0, 0, 3][..], block].concat();
    let mut connection = server.listening.connect().await;
    connection.write_all(&[&preface[..], &whole, &begun].concat()).await.unwrap();
    let mut bytes = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut bytes)).await;
    assert!(closed.is_ok(), "the server did not close the connection");
    assert!(bytes.windows(4).any(|bytes| bytes == [0, 0, 0, 1]), "the whole one is answered");
}

#[tokio::test]
async fn long_heads_take_their_memory_from_that_of_all_requests() {
    let memory = RequestMemory::new(4 * 40_000);
    let server = start(Api::new(), ServerLimits { memory, ..ServerLimits::default() });
    let head = |bytes: usize| format!("GET /livez HTTP/1.1\r\nhost: test\r\nx: {}", "x".repeat(bytes));
    let mut first = server.listening.connect().await;
    first.write_all(head(40_000).as_bytes()).await.unwrap();
    server.post_until_kept().await;
    let mut second = server.listening.connect().await;
    second.write_all(head(40_000).as_bytes()).await.unwrap();
    assert_eq!(rest_of(second).await, "", "heads have a quarter of it");
    server.post_until_kept().await;
    first.write_all(b"\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest_of(first).await.starts_with("HTTP/1.1 200 OK"));
    let mut third = server.listening.connect().await;
    third.write_all((head(40_000) + "\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    assert!(rest_of(third).await.starts_with("HTTP/1.1 200 OK"), "what was held is given back");
}

#[tokio::test]
async fn no_body_may_take_longer_than_the_read_timeout_whatever_it_is_for() {
    let server = start(Api::new(), ServerLimits { read_timeout: SHORT, ..ServerLimits::default() });
    for length in ["content-length: 100", "transfer-encoding: chunked"] {
        let mut connection = server.listening.connect().await;
        let head = format!(
            "POST /api/v1/session HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let answer = rest_of(connection).await;
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout") && answer.contains("request_timeout"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_says_that_no_more_comes_is_answered() {
    let server = start(Api::new(), ServerLimits::default());
    // Also where the end is seen long before there is an answer.
    for answering in [Answering::AtOnce, Answering::After(SHORT)] {
        *server.api.receiver.answering.lock().unwrap() = answering;
        for connection_header in ["close", "keep-alive"] {
            let mut connection = server.listening.connect().await;
            connection.write_all(request("a body", connection_header).as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
            assert!(rest_of(connection).await.starts_with("HTTP/1.1 200"), "{answering:?} {connection_header}");
        }
    }
    *server.api.receiver.answering.lock().unwrap() = Answering::AtOnce;
    // Not in the middle of a body: no more comes, and that is said at once.
    let mut connection = server.listening.connect().await;
    let whole = request("a body", "close");
    connection.write_all(&whole.as_bytes()[..whole.len() - 1]).await.unwrap();
    connection.shutdown().await.unwrap();
    assert!(!rest_of(connection).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.api.kept().len(), 4);
}

#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let server = start(Api::new(), ServerLimits::default());
    for (head, status) in [
        ("GET /livez HTTP/1.1\r\nhost: test", 200),
        ("GET http://test/livez HTTP/1.1\r\nhost: test", 200),
        ("GET /livez HTTP/1.0", 200),
        ("GET /livez HTTP/1.1", 400),
        ("GET /livez HTTP/1.1\r\nhost: test\r\nhost: test", 400),
        ("GET /livez HTTP/1.1\r\nhost: evil@localhost", 400),
        ("GET http://evil.example/livez HTTP/1.1\r\nhost: localhost", 400),
        ("POST /api/v1/session HTTP/1.1\r\nhost: test\r\ntransfer-encoding: gzip, chunked", 501),
        (
            "POST /api/v1/session HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
            501,
        ),
    ] {
        let mut connection = server.listening.connect().await;
        connection.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let answer = rest_of(connection).await;
        assert_eq!(answer.split(' ').nth(1), Some(status.to_string().as_str()), "{head}: {answer}");
        assert!(
            answer.contains("x-content-type-options: nosniff") && answer.contains("cache-control: no-store"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn connections_without_a_token_make_room_for_others() {
    let server =
        start(Api::with_tokens("a-good-token"), ServerLimits { max_connections: 3, ..ServerLimits::default() });
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(server.listening.connect().await);
    }
    let with_token = |connection: &str| {
        request("a body", connection).replace("host: test", "host: test\r\nauthorization: Bearer a-good-token")
    };
    let mut known = server.listening.connect().await;
    known.write_all(with_token("keep-alive").as_bytes()).await.unwrap();
    assert!(one_answer(&mut known).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(rest_of(silent.remove(0)).await, "", "the oldest has left");
    for _ in 0..4 {
        silent.push(server.listening.connect().await);
    }
    known.write_all(with_token("close").as_bytes()).await.unwrap();
    assert!(rest_of(known).await.starts_with("HTTP/1.1 200 OK"), "it keeps its place");
}

/// A fleet connects at once, when a network comes back. Nobody takes these connections.
#[tokio::test]
async fn many_connect_at_once_and_nobody_waits() {
    let most: usize = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let listener = netqoe_server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = futures::future::try_join_all((0..400.min(most)).map(|_| TcpStream::connect(address)));
    tokio::time::timeout(PATIENCE, connecting).await.expect("some wait for others to be taken").unwrap();
}

#[tokio::test]
async fn wrong_tokens_are_slowed_by_address_and_counted_by_reason() {
    // On a busy machine two hundred heads take their time.
    let limits = ServerLimits { header_timeout: PATIENCE, ..ServerLimits::default() };
    let server = start(Api::with_tokens("a-good-token\nthe-other-token"), limits);
    let (address, metrics) = (server.listening.address, server.api.metrics.clone());
    let post = async |token: &str| {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let head = format!("host: test\r\nauthorization: Bearer {token}");
        let one = request("a body", "close").replace("host: test", &head);
        connection.write_all(one.as_bytes()).await.unwrap();
        rest_of(connection).await.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(post("a-good-token").await, "200");
    let answers = futures::future::join_all((0..200).map(|_| post("wrong"))).await;
    let refused = answers.iter().filter(|status| *status == "429").count();
    assert!(answers.iter().all(|status| status == "429" || status == "401"), "{answers:?}");
    assert!(refused > 50, "{answers:?}");
    assert_eq!(post("a-good-token").await, "200", "who has been right there goes on");
    let reason = |reason| metrics.auth_refusals.with_label_values(&[reason]).get();
    assert_eq!((reason("unknown"), reason("too_many")), (200 - refused as u64, refused as u64));
    assert_eq!(metrics.ingest_auth_failures.get(), 200);
}

#[tokio::test]
async fn a_connection_is_closed_when_nothing_moves_on_it() {
    let server = start(Api::new(), ServerLimits { idle_timeout: SHORT, ..ServerLimits::default() });
    let mut connection = server.listening.connect().await;
    connection.write_all(request("a body", "keep-alive").as_bytes()).await.unwrap();
    assert!(one_answer(&mut connection).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(rest_of(connection).await, "");
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_cut_off() {
    let server = start(Api::new(), ServerLimits { write_timeout: SHORT, ..ServerLimits::default() });
    let mut connection = server.listening.connect().await;
    let requests = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: test\r\n\r\n".repeat(100);
    let writing = async { while connection.write_all(requests.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, writing).await.expect("the server kept a client that reads nothing");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let server = start(Api::new(), ServerLimits { max_connections: 2, ..ServerLimits::default() });
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = server.listening.connect().await;
        connection.write_all(request("a body", "keep-alive").as_bytes()).await.unwrap();
        assert!(one_answer(&mut connection).await.starts_with("HTTP/1.1 200 OK"));
        held.push(connection);
    }
    let refusal = rest_of(server.listening.connect().await).await;
    let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 Service Unavailable"));
    assert!(head.contains(&format!("content-length: {}", body.len())), "{refusal}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["error"], "service_unavailable");

    held.pop();
    server.post_until_kept().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = start(Api::new(), ServerLimits { max_header_bytes: 10_000, ..ServerLimits::default() });
    let mut connection = server.listening.connect().await;
    let head = format!("GET /livez HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    connection.write_all(head.as_bytes()).await.unwrap();
    assert!(rest_of(connection).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn stopping_finishes_what_was_begun_and_takes_nothing_new() {
    let server = start(Api::new(), ServerLimits::default());
    let mut idle = server.listening.connect().await;
    idle.write_all(request("idle", "keep-alive").as_bytes()).await.unwrap();
    one_answer(&mut idle).await;
    let mut connection = server.listening.connect().await;
    begin_request(&mut connection, SENDING, "last").await;

    server.listening.stop.cancel();
    assert_eq!(rest_of(idle).await, "", "a connection without a request is closed at once");
    let refused = async { while TcpStream::connect(server.listening.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("the server still takes connections");
    connection.write_all(b"last").await.unwrap();
    assert!(rest_of(connection).await.starts_with("HTTP/1.1 200 OK"));
    tokio::time::timeout(PATIENCE, server.listening.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(server.api.kept(), ["idle", "last"]);
}

#[tokio::test]
async fn stopping_waits_no_longer_than_it_is_told() {
    let api = Api::new();
    *api.receiver.answering.lock().unwrap() = Answering::Never;
    let server = start(api, ServerLimits { drain_timeout: SHORT, ..ServerLimits::default() });
    let mut connection = server.listening.connect().await;
    begin_request(&mut connection, SENDING, "a body").await;
    connection.write_all(b"a body").await.unwrap();
    let begun = Instant::now();
    server.listening.stop.cancel();
    tokio::time::timeout(PATIENCE, server.listening.serving).await.unwrap().unwrap().unwrap();
    assert!(begun.elapsed() >= SHORT, "the request was given no time to finish");
}

#[tokio::test]
async fn an_address_that_can_not_be_used_is_named() {
    let taken = listen("127.0.0.1:0".parse().unwrap(), &Tokens::none_on_loopback()).unwrap();
    let address = taken.local_addr().unwrap();
    let error = listen(address, &Tokens::none_on_loopback()).unwrap_err().to_string();
    assert_eq!(error, format!("{address} is in use by another program; stop that one, or choose another port"));
    let error = listen("0.0.0.0:0".parse().unwrap(), &Tokens::none_on_loopback()).unwrap_err().to_string();
    assert_eq!(
        error,
        "refusing to listen on 0.0.0.0:0 without tokens; configure tokens, or listen on a loopback address"
    );
}
