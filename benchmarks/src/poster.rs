//! One kept-alive HTTP/1.1 connection.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A client that sends one request after the other.
pub(super) struct Poster {
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Poster {
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true).context("can't send small packets at once")?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // What ends the connection also fails the request that waits for it, and is reported there.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { host: address.to_string(), sender })
    }

    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, "", Bytes::new()).await
    }

    pub(super) async fn post(&mut self, path: &str, content_type: &str, body: Bytes) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, content_type, body).await
    }

    async fn send(&mut self, method: Method, path: &str, content_type: &str, body: Bytes) -> anyhow::Result<Answer> {
        let request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        let request = request.header(CONTENT_TYPE, content_type).body(Full::new(body))?;
        let lost = || format!("{} gave no answer", self.host);
        self.sender.ready().await.with_context(lost)?;
        let answer = self.sender.send_request(request).await.with_context(lost)?;
        let status = answer.status();
        Ok(Answer { status, body: answer.into_body().collect().await.with_context(lost)?.to_bytes() })
    }
}
