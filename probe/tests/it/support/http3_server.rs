//! A server that speaks HTTP/3, and does by path what a test needs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use h3::error::{Code, ConnectionError};
use h3::server::RequestStream;
use h3_quinn::BidiStream;
use http::{Request, Response};
use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, ServerConfig, TransportConfig};
use tokio_rustls::TlsAcceptor;

use super::think;

pub(crate) const OBJECT_BYTES: usize = 1 << 20;
/// What is sent before anything is acknowledged: so much that a transfer is as fast as a slow line from its beginning.
const INITIAL_WINDOW_BYTES: u64 = 64 * 1024;
/// What `/` answers.
pub(crate) const PAGE: &str = "page";

type Answer = RequestStream<BidiStream<Bytes>, Bytes>;

/// What a server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) requests: Vec<Request<()>>,
    /// Why connections ended.
    pub(crate) ends: Vec<ConnectionError>,
}

pub(crate) struct Http3Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Http3Server {
    pub(crate) fn start(tls: &TlsAcceptor, thinking: Duration) -> Self {
        Self::run("127.0.0.1:0".parse().unwrap(), tls, "h3", thinking)
    }

    /// At this address, and with this protocol over TLS. One that thinks gives an early hint first.
    pub(crate) fn run(address: SocketAddr, tls: &TlsAcceptor, protocol: &str, thinking: Duration) -> Self {
        let mut tls = rustls::ServerConfig::clone(tls.config());
        tls.alpn_protocols = vec![protocol.into()];
        let tls = QuicServerConfig::try_from(tls).unwrap();
        let mut config = ServerConfig::with_crypto(Arc::new(tls));
        config.transport_config(Arc::new(transport()));
        let endpoint = Endpoint::server(config, address).unwrap();
        let server = Self { address: endpoint.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&server.seen);
        tokio::spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    // It fails where the probe refuses the certificate, as some tests want it to.
                    if let Ok(connection) = incoming.await {
                        seen.lock().unwrap().connections += 1;
                        let end = serve(connection, &seen, thinking).await;
                        seen.lock().unwrap().ends.push(end);
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://web.test:{}{path}", self.address.port())
    }
}

fn transport() -> TransportConfig {
    let mut congestion = CubicConfig::default();
    congestion.initial_window(INITIAL_WINDOW_BYTES);
    let mut transport = TransportConfig::default();
    transport.congestion_controller_factory(Arc::new(congestion));
    transport
}

async fn serve(connection: quinn::Connection, seen: &Mutex<Seen>, thinking: Duration) -> ConnectionError {
    let handle = connection.clone();
    let mut connection = match h3::server::builder().build(h3_quinn::Connection::new(connection)).await {
        Ok(connection) => connection,
        Err(end) => return end,
    };
    loop {
        let request = match connection.accept().await {
            Ok(request) => request.unwrap(),
            Err(end) => return end,
        };
        let (request, mut stream) = request.resolve_request().await.unwrap();
        let path = request.uri().path().to_owned();
        seen.lock().unwrap().requests.push(request);
        let handle = handle.clone();
        tokio::spawn(async move {
            if !thinking.is_zero() && hint(&mut stream).await.is_ok() {
                think(thinking).await;
            }
            // A probe that has given up is no fault of the server.
            let _ = answer(&path, &mut stream, &handle).await;
        });
    }
}

async fn answer(path: &str, stream: &mut Answer, connection: &quinn::Connection) -> anyhow::Result<()> {
    match path {
        "/" => respond(stream, 200, PAGE.len(), PAGE.as_bytes()).await?,
        "/fixed/1mb.bin" => respond(stream, 200, OBJECT_BYTES, &vec![b'x'; OBJECT_BYTES]).await?,
        "/early" => {
            hint(stream).await?;
            respond(stream, 200, PAGE.len(), PAGE.as_bytes()).await?;
        }
        "/early-for-ever" => loop {
            hint(stream).await?;
        },
        "/away" => {
            let head = Response::builder().status(302).header("location", "/");
            stream.send_response(head.body(())?).await?;
        }
        "/short" => respond(stream, 200, PAGE.len() + 5, PAGE.as_bytes()).await?,
        "/reset" => {
            stream.stop_stream(Code::H3_INTERNAL_ERROR);
            return Ok(());
        }
        "/reset-body" => {
            // A reset takes along what was not read. So much is only sent when the probe has read some of it.
            respond(stream, 200, 6 * OBJECT_BYTES, &vec![b'x'; 5 * OBJECT_BYTES]).await?;
            stream.stop_stream(Code::H3_INTERNAL_ERROR);
            return Ok(());
        }
        "/hang-up" => connection.close(0x102_u32.into(), b"gone"),
        "/stall" => std::future::pending::<()>().await,
        "/stall-body" => {
            respond(stream, 200, PAGE.len() + 5, PAGE.as_bytes()).await?;
            std::future::pending::<()>().await;
        }
        _ => respond(stream, 500, 5, b"sorry").await?,
    }
    stream.finish().await.context("the answer was not taken")
}

/// An interim answer.
async fn hint(stream: &mut Answer) -> anyhow::Result<()> {
    Ok(stream.send_response(Response::builder().status(103).body(())?).await?)
}

async fn respond(stream: &mut Answer, status: u16, announced: usize, body: &[u8]) -> anyhow::Result<()> {
    let head = Response::builder().status(status).header("content-length", announced);
    stream.send_response(head.body(())?).await?;
    Ok(stream.send_data(Bytes::copy_from_slice(body)).await?)
}
