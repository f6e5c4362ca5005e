//! Through a real listener: a slow body disturbs no other client, and stopping loses no event.

use std::net::SocketAddr;
use std::time::Duration;

use netqoe_ingest::IngestConfig;
use netqoe_server::{ServeError, ServerLimits, Tokens, listen, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// Long enough for any machine; what takes this long is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(500);

struct Server {
    api: Api,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
}

fn start(api: Api, limits: ServerLimits) -> Server {
    let listener = listen("127.0.0.1:0".parse().unwrap(), &Tokens::none_on_loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let (router, stopped) = (api.router.clone(), stop.clone());
    let serving = tokio::spawn(async move { serve(listener, router, &limits, stopped).await });
    Server { api, address, stop, serving }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Posts until it is answered by 200, as it must be once there is a place and time to write a request.
    async fn post_until_stored(&self) {
        let stored = async { while !self.post().await.starts_with("HTTP/1.1 200 OK") {} };
        tokio::time::timeout(PATIENCE, stored).await.expect("others are disturbed");
    }

    async fn post(&self) -> String {
        let mut connection = self.connect().await;
        connection.write_all(request(&event("e", "c").to_string(), "close").as_bytes()).await.unwrap();
        rest_of(connection).await
    }
}

fn request(body: &str, connection: &str) -> String {
    let length = body.len();
    format!(
        "POST {EVENTS} HTTP/1.1\r\nhost: test\r\nconnection: {connection}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// All that comes until the server closes, which it must.
async fn rest_of(mut connection: TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut bytes)).await;
    // A reset is an end as well.
    let _ = reading.expect("the server did not close the connection");
    String::from_utf8(bytes).unwrap()
}

/// One answer on a connection that stays open.
async fn one_answer(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"}") {
        assert_ne!(connection.read_buf(&mut bytes).await.unwrap(), 0);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn who_says_that_no_more_comes_is_answered() {
    let api = Api::with_config(IngestConfig { write_timeout: SHORT, ..IngestConfig::default() });
    let server = start(api, ServerLimits::default());
    // Also where the end is seen long before there is an answer.
    for (mood, status) in [(Mood::Takes, 200), (Mood::NeverAnswers, 503)] {
        *server.api.log.mood.lock().unwrap() = mood;
        for connection_header in ["close", "keep-alive"] {
            let mut connection = server.connect().await;
            let one = request(&event("e", "c").to_string(), connection_header);
            connection.write_all(one.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
            assert!(rest_of(connection).await.starts_with(&format!("HTTP/1.1 {status}")), "{connection_header}");
        }
    }
    *server.api.log.mood.lock().unwrap() = Mood::Takes;
    // Not in the middle of a body: no more comes, and that is said at once.
    let mut connection = server.connect().await;
    let whole = request(&event("e", "c").to_string(), "close");
    connection.write_all(&whole.as_bytes()[..whole.len() - 1]).await.unwrap();
    connection.shutdown().await.unwrap();
    assert!(!rest_of(connection).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.api.log.events().len(), 2);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let api = Api::with_config(IngestConfig { read_timeout: SHORT, ..IngestConfig::default() });
    let server = start(api, ServerLimits::default());
    let mut connection = server.connect().await;
    let whole = request(&event("e", "c").to_string(), "keep-alive");
    connection.write_all(&whole.as_bytes()[..whole.len() - 1]).await.unwrap();
    server.post_until_stored().await;
    assert!(rest_of(connection).await.starts_with("HTTP/1.1 408 Request Timeout"));
}

#[tokio::test]
async fn stopping_finishes_what_was_begun_and_takes_nothing_new() {
    let server = start(Api::new(), ServerLimits::default());
    let mut idle = server.connect().await;
    idle.write_all(request(&event("idle", "c").to_string(), "keep-alive").as_bytes()).await.unwrap();
    one_answer(&mut idle).await;
    let body = event("last", "c").to_string();
    let mut connection = server.connect().await;
    begin_request(&mut connection, &body).await;

    server.stop.cancel();
    assert_eq!(rest_of(idle).await, "", "a connection without a request is closed at once");
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("the server still takes connections");
    connection.write_all(body.as_bytes()).await.unwrap();
    assert!(rest_of(connection).await.starts_with("HTTP/1.1 200 OK"));
    tokio::time::timeout(PATIENCE, server.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(server.api.log.event_ids(), ["idle", "last"]);
}

/// Sends the head of a request, and waits until the server asks for the body: it is then at work on it.
async fn begin_request(connection: &mut TcpStream, body: &str) {
    let head = request("", "keep-alive").replace("content-length: 0", &format!("content-length: {}", body.len()));
    let head = head.replace("host: test", "host: test\r\nexpect: 100-continue");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
}
