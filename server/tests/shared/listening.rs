//! Routes behind a real listener, and what goes over a connection to it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use netqoe_server::{ServeError, ServerLimits, Tokens, listen, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; what takes this long is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A limit that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(500);

/// A server that listens on loopback.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<Result<(), ServeError>>,
}

/// Serves these routes within these limits.
pub(crate) fn listening(router: Router, limits: ServerLimits) -> Listening {
    let listener = listen("127.0.0.1:0".parse().unwrap(), &Tokens::none_on_loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let serving = tokio::spawn(async move { serve(listener, router, &limits, stopped).await });
    Listening { address, stop, serving }
}

impl Listening {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// A request that posts this body, as it goes over a connection.
pub(crate) fn request_to(path: &str, body: &str, connection: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: test\r\nconnection: {connection}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// All that comes until the server closes, which it must.
pub(crate) async fn rest_of(mut connection: TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut bytes)).await;
    // A reset is an end as well. Where a test fails, it may be the reason.
    if let Err(error) = reading.expect("the server did not close the connection") {
        eprintln!("a connection ended after {} bytes: {error}", bytes.len());
    }
    String::from_utf8(bytes).unwrap()
}

/// One answer on a connection that stays open.
pub(crate) async fn one_answer(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"}") {
        assert_ne!(connection.read_buf(&mut bytes).await.unwrap(), 0);
    }
    String::from_utf8(bytes).unwrap()
}

/// Sends the head of a request, and waits until the server asks for the body: it is then at work on it.
pub(crate) async fn begin_request(connection: &mut TcpStream, path: &str, body: &str) {
    let head =
        request_to(path, "", "keep-alive").replace("content-length: 0", &format!("content-length: {}", body.len()));
    let head = head.replace("host: test", "host: test\r\nexpect: 100-continue");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
}
