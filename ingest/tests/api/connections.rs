//! Through a real listener: a slow body disturbs no other client, and stopping loses no event.

use netqoe_ingest::IngestConfig;
use netqoe_server::ServerLimits;
use tokio::io::AsyncWriteExt;
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
    async fn post_until_stored(&self) {
        let stored = async { while !self.post().await.starts_with("HTTP/1.1 200 OK") {} };
        tokio::time::timeout(PATIENCE, stored).await.expect("others are disturbed");
    }

    async fn post(&self) -> String {
        let mut connection = self.listening.connect().await;
        connection.write_all(request(&event("e", "c").to_string(), "close").as_bytes()).await.unwrap();
        rest_of(connection).await
    }
}

fn request(body: &str, connection: &str) -> String {
    request_to(EVENTS, body, connection)
}

#[tokio::test]
async fn who_says_that_no_more_comes_is_answered() {
    let api = Api::with_config(IngestConfig { write_timeout: SHORT, ..IngestConfig::default() });
    let server = start(api, ServerLimits::default());
    // Also where the end is seen long before there is an answer.
    for (mood, status) in [(Mood::Takes, 200), (Mood::NeverAnswers, 503)] {
        *server.api.log.mood.lock().unwrap() = mood;
        for connection_header in ["close", "keep-alive"] {
            let mut connection = server.listening.connect().await;
            let one = request(&event("e", "c").to_string(), connection_header);
            connection.write_all(one.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
            assert!(rest_of(connection).await.starts_with(&format!("HTTP/1.1 {status}")), "{connection_header}");
        }
    }
    *server.api.log.mood.lock().unwrap() = Mood::Takes;
    // Not in the middle of a body: no more comes, and that is said at once.
    let mut connection = server.listening.connect().await;
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
    let mut connection = server.listening.connect().await;
    let whole = request(&event("e", "c").to_string(), "keep-alive");
    connection.write_all(&whole.as_bytes()[..whole.len() - 1]).await.unwrap();
    server.post_until_stored().await;
    assert!(rest_of(connection).await.starts_with("HTTP/1.1 408 Request Timeout"));
}

#[tokio::test]
async fn stopping_finishes_what_was_begun_and_takes_nothing_new() {
    let server = start(Api::new(), ServerLimits::default());
    let mut idle = server.listening.connect().await;
    idle.write_all(request(&event("idle", "c").to_string(), "keep-alive").as_bytes()).await.unwrap();
    one_answer(&mut idle).await;
    let body = event("last", "c").to_string();
    let mut connection = server.listening.connect().await;
    begin_request(&mut connection, EVENTS, &body).await;

    server.listening.stop.cancel();
    assert_eq!(rest_of(idle).await, "", "a connection without a request is closed at once");
    let refused = async { while TcpStream::connect(server.listening.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("the server still takes connections");
    connection.write_all(body.as_bytes()).await.unwrap();
    assert!(rest_of(connection).await.starts_with("HTTP/1.1 200 OK"));
    tokio::time::timeout(PATIENCE, server.listening.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(server.api.log.event_ids(), ["idle", "last"]);
}
