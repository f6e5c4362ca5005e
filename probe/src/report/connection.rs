//! One connection to the endpoint, used for one batch after the other, and made anew where it was lost.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use netqoe_model::{EventTime, TraceContext};
use rustls::{ClientConfig, crypto};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use tracing::info;

use super::body::{Body, Packing};
use super::endpoint::{Endpoint, Token};
use super::retry_after::retry_after;
use super::verdict::Answer;
use crate::http::with_causes;
use crate::tls::{self, EncryptedStream, PROTOCOLS, TrustedRoots};

/// How long a connection may take to come about: the lookup, TCP and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take. Ingest gives its log 10 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer that is read: a hundred refused events with their messages are a tenth of it.
const MAX_ANSWER_BYTES: usize = 256 << 10;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("netqoe-probe/", env!("CARGO_PKG_VERSION")));
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("no connection to the endpoint: {0}")]
    Connect(io::Error),
    #[error("no connection to the endpoint within {CONNECT_TIMEOUT:?}")]
    ConnectTimeout,
    #[error("the endpoint did not answer: {0}")]
    Lost(String),
    #[error("the endpoint did not answer within {ANSWER_TIMEOUT:?}")]
    Timeout,
}

pub(super) struct Connection {
    endpoint: Endpoint,
    token: Option<Token>,
    http2: bool,
    /// `None` for an endpoint without TLS.
    tls: Option<TlsConnector>,
    packing: Packing,
    open: Option<Open>,
}

/// A connection that stands, and the task that moves its bytes.
struct Open {
    sender: Sender,
    _driver: AbortOnDropHandle<()>,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Not yet connected. With `http2`, HTTP/2 is spoken without TLS as well.
    pub(super) fn new(
        endpoint: Endpoint,
        token: Option<Token>,
        http2: bool,
        roots: &TrustedRoots,
    ) -> Result<Self, rustls::Error> {
        let tls = endpoint.is_tls().then(|| connector(roots)).transpose()?;
        Ok(Self { endpoint, token, http2, tls, packing: Packing::new(), open: None })
    }

    /// Posts a batch, whose span is `trace`, and reads the answer. If there is none, the next batch goes over a new connection.
    pub(super) async fn post(&mut self, lines: Bytes, trace: Option<TraceContext>) -> Result<Answer, NoAnswer> {
        let body = self.packing.pack(lines.clone());
        let is_compressed = body.encoding.is_some();
        let answer = self.send(body, trace).await?;
        if answer.status != StatusCode::UNSUPPORTED_MEDIA_TYPE || !is_compressed {
            return Ok(answer);
        }
        info!("the endpoint does not take compressed events; they are sent plain from now on");
        self.packing.stop_compressing();
        let body = self.packing.pack(lines);
        self.send(body, trace).await
    }

    async fn send(&mut self, body: Body, trace: Option<TraceContext>) -> Result<Answer, NoAnswer> {
        let mut open = match self.open.take().filter(Open::is_usable) {
            Some(open) => open,
            None => self.connect().await?,
        };
        let request = self.request(&open.sender, body, trace);
        let answer = timeout(ANSWER_TIMEOUT, open.exchange(request)).await.map_err(|_| NoAnswer::Timeout)??;
        self.open = Some(open);
        Ok(answer)
    }

    async fn connect(&self) -> Result<Open, NoAnswer> {
        let connecting = timeout(CONNECT_TIMEOUT, self.try_connect());
        connecting.await.map_err(|_| NoAnswer::ConnectTimeout)?.map_err(NoAnswer::Connect)
    }

    async fn try_connect(&self) -> io::Result<Open> {
        let stream = TcpStream::connect(self.endpoint.address()).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Open::over(stream, self.http2).await };
        let stream = tls.connect(self.endpoint.server_name().clone(), stream).await;
        let stream = stream.map_err(|error| io::Error::new(error.kind(), tls::of_io(&error)))?;
        let stream = EncryptedStream::first(stream, false);
        let http2 = stream.speaks_http2();
        Open::over(stream, http2).await
    }

    fn request(&self, sender: &Sender, body: Body, trace: Option<TraceContext>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body.bytes));
        *request.method_mut() = Method::POST;
        match sender {
            Sender::Http1(_) => {
                *request.uri_mut() = self.endpoint.path();
                request.headers_mut().insert(header::HOST, self.endpoint.authority());
            }
            Sender::Http2(_) => {
                *request.uri_mut() = self.endpoint.uri();
                *request.version_mut() = Version::HTTP_2;
            }
        }
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, NDJSON);
        if let Some(encoding) = body.encoding {
            headers.insert(header::CONTENT_ENCODING, encoding);
        }
        headers.insert(header::USER_AGENT, AGENT);
        if let Some(token) = &self.token {
            headers.insert(header::AUTHORIZATION, token.header());
        }
        // Digits and dashes are always a value.
        if let Some(trace) = trace.and_then(|trace| HeaderValue::try_from(trace.to_string()).ok()) {
            headers.insert(TraceContext::HEADER, trace);
        }
        request
    }
}

fn connector(roots: &TrustedRoots) -> Result<TlsConnector, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots.store()))
        .with_no_client_auth();
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Open {
    async fn over<S>(stream: S, http2: bool) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(stream);
        if http2 {
            let (sender, driver) = http2::handshake(TokioExecutor::new(), stream).await.map_err(io::Error::other)?;
            return Ok(Self::driven(Sender::Http2(sender), driver));
        }
        let (sender, driver) = http1::handshake(stream).await.map_err(io::Error::other)?;
        Ok(Self::driven(Sender::Http1(sender), driver))
    }

    fn driven(sender: Sender, driver: impl Future<Output = hyper::Result<()>> + Send + 'static) -> Self {
        // How it ends is told by the requests on it.
        let driver = tokio::spawn(async move { driver.await.unwrap_or_default() });
        Self { sender, _driver: AbortOnDropHandle::new(driver) }
    }

    fn is_usable(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => !sender.is_closed(),
            Sender::Http2(sender) => !sender.is_closed(),
        }
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        let lost = |error: hyper::Error| NoAnswer::Lost(with_causes(&error));
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await.map_err(lost)?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await.map_err(lost)?;
                sender.send_request(request).await
            }
        };
        read(response.map_err(lost)?).await
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, NoAnswer> {
    let (head, body) = response.into_parts();
    let date =
        head.headers.get(header::DATE).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?.trim()).ok());
    // Both dates were written by the same server.
    let now = date.unwrap_or_else(SystemTime::now);
    let waits = head.headers.get_all(header::RETRY_AFTER).iter();
    let retry_after = waits.filter_map(|value| retry_after(value.as_bytes(), now)).max();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| {
        NoAnswer::Lost(match error.downcast_ref::<LengthLimitError>() {
            Some(_) => format!("its answer is longer than {MAX_ANSWER_BYTES} bytes"),
            None => with_causes(&*error),
        })
    })?;
    Ok(Answer { status: head.status, retry_after, date: date.and_then(event_time), body: body.to_bytes().into() })
}

/// None before 1970, which no clock shows that is set at all.
fn event_time(time: SystemTime) -> Option<EventTime> {
    let ms = time.duration_since(UNIX_EPOCH).ok()?.as_millis();
    i64::try_from(ms).ok().map(EventTime::from_ms)
}
