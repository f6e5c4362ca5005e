//! One POST to one place, over a connection of its own. Redirects are not followed, and little of an answer is read.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use netqoe_model::escaped;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::{Outcome, trust};
use crate::config::UrlSource;
use crate::secret::Secret;
use crate::words::cut;

/// Bytes of an answer's head.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// Bytes of an answer's body that are read: enough for a reason.
const MAX_BODY_BYTES: usize = 2 << 10;

/// Characters of a reason that are shown.
const MAX_REASON_CHARS: usize = 200;

const AGENT: &str = concat!("netqoe/", env!("CARGO_PKG_VERSION"));

/// Where something is posted.
pub(super) struct Endpoint {
    host: String,
    port: u16,
    /// The host as a header names it.
    authority: String,
    path: Secret,
    authorization: Option<HeaderValue>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Endpoint {
    /// From the configuration. The error is a part of a sentence, and shows nothing of a URL in a file.
    pub(super) fn open(url: &UrlSource, path: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let (secret, shown) = match url {
            UrlSource::Inline(url) => (Secret::of(url), url.as_str()),
            UrlSource::File(file) => (Secret::read(file)?, "the URL in url_file"),
        };
        let url = Url::parse(secret.expose()).map_err(|error| format!("{shown} is no URL: {error}"))?;
        if matches!(shown, "the URL in url_file") || url.password().is_none() {
            return Self::at(&url, path, ca_file).map_err(|what| format!("{shown} {what}"));
        }
        Err("the URL holds a password, and url may be read by many; put it into a file and give url_file".to_owned())
    }

    fn at(url: &Url, path: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err("must begin with http:// or https://".to_owned()),
        };
        let (host, port) = url.host().zip(url.port_or_known_default()).ok_or("names no host")?;
        let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        // An address of IPv6 has brackets in a URL, and nowhere else.
        let host = match host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        let tls = if tls {
            let name = ServerName::try_from(host.clone()).map_err(|_| "names a host that no certificate can")?;
            Some((TlsConnector::from(trust::tls(ca_file)?), name))
        } else {
            None
        };
        let mut full = format!("{}{path}", url.path().trim_end_matches('/'));
        if full.is_empty() {
            full.push('/');
        }
        if let Some(query) = url.query() {
            full = format!("{full}?{query}");
        }
        Ok(Self { port, authority, path: Secret::of(&full), authorization: basic(url), tls, host })
    }

    /// The place without its path, which may be a secret.
    pub(super) fn place(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority)
    }

    /// Posts JSON with these headers.
    pub(super) async fn post(&self, headers: &[(&'static str, String)], json: String) -> Outcome {
        match self.exchange(headers, json).await {
            Ok(answer) => self.outcome(answer).await,
            Err(error) => Outcome::away(format!("can't reach {}: {error}", self.place())),
        }
    }

    async fn exchange(&self, headers: &[(&'static str, String)], json: String) -> Result<Response<Incoming>, String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.path.expose())
            .header(HOST, &self.authority)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(json))).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| error.to_string())?;
        match &self.tls {
            None => send(stream, request).await,
            Some((connector, name)) => {
                let stream = connector
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|error| trust::fault(&error).unwrap_or_else(|| netqoe_tls::of_io(&error)))?;
                send(stream, request).await
            }
        }
    }

    async fn outcome(&self, answer: Response<Incoming>) -> Outcome {
        let status = answer.status();
        if status.is_success() {
            return Outcome::Delivered;
        }
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let reason = reason(answer).await;
        let error = format!("{} answered {}{reason}{}", self.place(), status.as_u16(), advice(status));
        match status {
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Outcome::Refused { error }
            }
            _ => Outcome::Away { error, retry_after: retry_after.map(Duration::from_secs) },
        }
    }
}

/// The user and password of a URL.
fn basic(url: &Url) -> Option<HeaderValue> {
    use base64::Engine;
    let password = url.password()?;
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let both = format!("{}:{}", decoded(url.username()), decoded(password));
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| described(&error))?;
    // It ends with the sender and the answer.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("the connection of a notification ended: {error}");
        }
    });
    sender.send_request(request).await.map_err(|error| described(&error))
}

/// hyper's error with its cause.
fn described(error: &hyper::Error) -> String {
    use std::error::Error;
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// What the receiver says of its refusal, with a colon before it.
async fn reason(answer: Response<Incoming>) -> String {
    let Ok(body) = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect().await else { return String::new() };
    let body = body.to_bytes();
    let text = String::from_utf8_lossy(&body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { String::new() } else { format!(": {}", escaped(&cut(&line, MAX_REASON_CHARS))) }
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "; redirects are not followed: give the URL that it leads to",
        401 | 403 => "; see that its URL and secrets are right",
        404 | 405 | 410 => "; see that its URL is right",
        413 => "; lower max_grouped",
        429 => "; lower max_per_minute",
        _ => "",
    }
}
