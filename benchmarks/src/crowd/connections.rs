//! Connections that take a place and ask for nothing, and those that take their time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How soon a slow connection sends its next byte.
const NEXT_BYTE: Duration = Duration::from_millis(200);
/// How soon a connection is opened again where it can't be.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// What is asked before a connection is idle, so that it is one that the server knows.
const ONE_REQUEST: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// What a slow connection sends at once before a slow body. It never comes to the end.
const SLOW_BODY: &str =
    "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";

/// As many connections as it has places, until it is dropped.
pub(super) struct Crowd {
    closed: Arc<AtomicU64>,
    _connections: JoinSet<()>,
}

impl Crowd {
    /// Opens all of them: of the slow ones, every other is slow with its head, and every other with its body.
    pub(super) async fn gather(server: SocketAddr, idle: u32, slow: u32) -> anyhow::Result<Self> {
        let (closed, mut connections) = (Arc::<AtomicU64>::default(), JoinSet::new());
        let kinds = (0..idle).map(|_| Kind::Idle);
        let slow = (0..slow).map(|number| if number % 2 == 0 { Kind::SlowHead } else { Kind::SlowBody });
        for kind in kinds.chain(slow) {
            let first =
                kind.open(server).await.context("the crowd can't be opened; `ulimit -n` may be too low for it")?;
            connections.spawn(kind.stay(server, first, Arc::clone(&closed)));
        }
        Ok(Self { closed, _connections: connections })
    }

    /// How many the server has closed.
    pub(super) fn closed(&self) -> u64 {
        self.closed.load(Ordering::Relaxed)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Idle,
    SlowHead,
    SlowBody,
}

impl Kind {
    async fn open(self, server: SocketAddr) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(server).await.with_context(|| format!("can't connect to {server}"))?;
        match self {
            Self::Idle => {
                stream.write_all(ONE_REQUEST.as_bytes()).await?;
                let mut answer = [0; 1024];
                let length = stream.read(&mut answer).await?;
                ensure!(answer[..length].starts_with(b"HTTP/1.1 200"), "/livez was not answered");
            }
            Self::SlowHead => {}
            Self::SlowBody => stream.write_all(SLOW_BODY.as_bytes()).await?,
        }
        Ok(stream)
    }

    /// Keeps a place, for as long as the server lets it, and then takes the next one.
    async fn stay(self, server: SocketAddr, first: TcpStream, closed: Arc<AtomicU64>) {
        let mut stream = first;
        loop {
            match self {
                Self::Idle => wait_for_end(&mut stream).await,
                Self::SlowHead => dribble(&mut stream, SLOW_BODY).await,
                Self::SlowBody => dribble(&mut stream, "                ").await,
            }
            closed.fetch_add(1, Ordering::Relaxed);
            stream = loop {
                match self.open(server).await {
                    Ok(stream) => break stream,
                    Err(_) => sleep(AGAIN_AFTER).await,
                }
            };
        }
    }
}

async fn wait_for_end(stream: &mut TcpStream) {
    let mut answer = [0; 1024];
    while let Ok(1..) = stream.read(&mut answer).await {}
}

/// Sends a byte after the other, over and over, until the server has enough.
async fn dribble(stream: &mut TcpStream, text: &str) {
    let (mut reads, mut writes) = stream.split();
    let send = async {
        for byte in text.bytes().cycle() {
            sleep(NEXT_BYTE).await;
            if writes.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    };
    let mut answer = [0; 1024];
    let end = async { while let Ok(1..) = reads.read(&mut answer).await {} };
    tokio::select! {
        () = send => {}
        () = end => {}
    }
}
