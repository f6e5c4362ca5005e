//! An endpoint that takes events, or answers as the test wants it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, DATE};
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is answered instead of taking a batch.
pub(crate) enum Refusal {
    /// This answer: a status, Retry-After where there is one, and a body.
    Answer(u16, Option<&'static str>, String),
    /// A status, the endpoint's Date and its Retry-After.
    Dated(u16, &'static str, &'static str),
    /// The events are taken, and the connection is closed before that was said.
    TakenAndLost,
}

#[derive(Default)]
pub(crate) struct Taken {
    /// Events in the order in which they were taken, those that came twice twice.
    pub(crate) events: Vec<String>,
    pub(crate) connections: usize,
    /// Of each request, in their order.
    pub(crate) heads: Vec<(Version, String, HeaderMap)>,
    pub(crate) batches: Vec<usize>,
    /// What the next requests get instead.
    pub(crate) refusals: VecDeque<Refusal>,
    /// Until then all requests get a 503.
    pub(crate) away_until: Option<tokio::time::Instant>,
    /// A batch with an event in which this stands is refused as a whole, with this status.
    pub(crate) refused_whole: Option<(&'static str, u16)>,
    /// Whether bodies have to be plain.
    pub(crate) takes_only_plain: bool,
    /// An event in which this stands is refused alone.
    pub(crate) refused_alone: Option<&'static str>,
    /// What its clock shows, if it is not this machine's: events that are dated later are refused for that.
    pub(crate) clock_ms: Option<i64>,
}

pub(crate) struct IngestServer {
    pub(crate) address: SocketAddr,
    pub(crate) taken: Arc<Mutex<Taken>>,
}

impl IngestServer {
    pub(crate) async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, taken) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Taken::default())));
        let server = Self { address, taken: Arc::clone(&taken) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                taken.lock().unwrap().connections += 1;
                let (tls, taken) = (tls.clone(), Arc::clone(&taken));
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => serve(tls.accept(stream).await.unwrap(), taken).await,
                        None => serve(stream, taken).await,
                    }
                });
            }
        });
        server
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, taken: Arc<Mutex<Taken>>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&taken)));
    // A connection that the test breaks is served no further, as it is meant.
    auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.unwrap_or_default();
}

async fn answer(request: Request<Incoming>, taken: Arc<Mutex<Taken>>) -> std::io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let is_compressed = head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "zstd");
    let body = if is_compressed { zstd::decode_all(&*body)? } else { body.to_vec() };
    let lines: Vec<_> = std::str::from_utf8(&body).unwrap().lines().map(str::to_owned).collect();
    let mut taken = taken.lock().unwrap();
    taken.heads.push((head.version, head.uri.path().to_owned(), head.headers));
    taken.batches.push(lines.len());
    if is_compressed && taken.takes_only_plain {
        return Ok(respond(415, None, "<html>Unsupported Media Type</html>".to_owned()));
    }
    if taken.away_until.is_some_and(|until| tokio::time::Instant::now() < until) {
        return Ok(respond(503, None, String::new()));
    }
    match taken.refusals.pop_front() {
        Some(Refusal::Answer(status, retry_after, body)) => return Ok(respond(status, retry_after, body)),
        Some(Refusal::Dated(status, date, retry_after)) => {
            let mut response = respond(status, Some(retry_after), String::new());
            response.headers_mut().insert(DATE, date.parse().unwrap());
            return Ok(response);
        }
        Some(Refusal::TakenAndLost) => {
            taken.events.extend(lines);
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        None => {}
    }
    if let Some((poison, status)) = taken.refused_whole
        && lines.iter().any(|line| line.contains(poison))
    {
        return Ok(respond(status, None, r#"{"error":"invalid_request","message":"one of them"}"#.to_owned()));
    }
    let is_refused = |line: &str| taken.refused_alone.is_some_and(|poison| line.contains(poison));
    let is_of_the_future = |line: &str| taken.clock_ms.is_some_and(|clock_ms| ts_ms(line) > clock_ms);
    let code = |index: usize| match &*lines[index] {
        line if is_refused(line) => Some((index, "invalid_request")),
        line if is_of_the_future(line) => Some((index, "invalid_timestamp")),
        _ => None,
    };
    let (refused, errors): (Vec<_>, Vec<_>) = (0..lines.len())
        .filter_map(code)
        .map(|(index, code)| (index, format!(r#"{{"index":{index},"error":"{code}","message":"no"}}"#)))
        .unzip();
    let errors = errors.join(",");
    let (accepted, rejected) = (lines.len() - refused.len(), refused.len());
    taken
        .events
        .extend(lines.into_iter().enumerate().filter(|(index, _)| !refused.contains(index)).map(|(_, line)| line));
    let body = format!(r#"{{"accepted":{accepted},"rejected":{rejected},"errors":[{errors}],"recv_ts_ms":1}}"#);
    let mut response = respond(if accepted == 0 { 400 } else { 200 }, None, body);
    if let Some(clock_ms) = taken.clock_ms {
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_millis(clock_ms.unsigned_abs());
        response.headers_mut().insert(DATE, httpdate::fmt_http_date(date).parse().unwrap());
    }
    Ok(response)
}

fn ts_ms(line: &str) -> i64 {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["ts_ms"].as_i64().unwrap_or_default()
}

fn respond(status: u16, retry_after: Option<&str>, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        response = response.header("Retry-After", seconds);
    }
    response.body(Full::new(body.into())).unwrap()
}
