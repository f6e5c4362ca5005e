//! Readers of the live stream: those that take all rows, and those that take nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What is read at once: many rows, so that reading costs little beside what is measured.
const BUFFER_BYTES: usize = 256 << 10;

/// Reads until it is dropped.
pub(super) struct Readers {
    /// Of all that read.
    bytes_taken: Arc<AtomicU64>,
    _reading: JoinSet<()>,
    _still: Vec<TcpStream>,
}

impl Readers {
    /// Opens so many streams of all rows, and goes on reading some of them.
    pub(super) async fn open(server: SocketAddr, reading: usize, still: usize) -> anyhow::Result<Self> {
        let (bytes_taken, mut tasks, mut streams) = (Arc::<AtomicU64>::default(), JoinSet::new(), Vec::new());
        for _ in 0..reading {
            let stream = open(server, None).await?;
            tasks.spawn(read(server, stream, Arc::clone(&bytes_taken)));
        }
        for _ in 0..still {
            streams.push(open(server, None).await?);
        }
        Ok(Self { bytes_taken, _reading: tasks, _still: streams })
    }

    pub(super) fn bytes_taken(&self) -> u64 {
        self.bytes_taken.load(Ordering::Relaxed)
    }
}

/// A stream that has begun: the server knows its reader.
async fn open(server: SocketAddr, last_event_id: Option<&str>) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(server).await.with_context(|| format!("can't connect to {server}"))?;
    let resumed = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
    // Of HTTP/1.0, or the events would come in chunks.
    let request = format!("GET /api/v1/live HTTP/1.0\r\nHost: {server}\r\n{resumed}\r\n");
    stream.write_all(request.as_bytes()).await.context("can't ask for the live stream")?;
    let mut head = [0; "HTTP/1.x 200".len()];
    stream.read_exact(&mut head).await.context("the live stream did not begin")?;
    ensure!(head.ends_with(b" 200"), "the live stream was refused: {}", String::from_utf8_lossy(&head));
    Ok(stream)
}

/// Takes what comes, and comes back after the last event where the stream has ended. Where the server has gone, so do its
/// readers.
async fn read(server: SocketAddr, mut stream: TcpStream, bytes_taken: Arc<AtomicU64>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut last_event_id = None;
    loop {
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            bytes_taken.fetch_add(length as u64, Ordering::Relaxed);
            last_event_id = last_id(&buffer[..length]).or(last_event_id);
        }
        match open(server, last_event_id.as_deref()).await {
            Ok(again) => stream = again,
            Err(_) => return,
        }
    }
}

/// The id of the last event whose id is whole.
fn last_id(text: &[u8]) -> Option<String> {
    // What stands behind the last end of a line is not whole.
    let id = text.rsplit(|byte| *byte == b'\n').skip(1).find_map(|line| line.strip_prefix(b"id: "))?;
    Some(String::from_utf8_lossy(id).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_id_is_a_whole_one() {
        assert_eq!(last_id(b"\nid: a-1\ndata: {}\n\nevent: row\nid: a-2\ndata"), Some("a-2".to_owned()));
        assert_eq!(last_id(b"id: a-1\ndata: {}\n\nevent: row\nid: a-"), Some("a-1".to_owned()));
        assert_eq!(last_id(b"data: {}\n\nevent: row\nid: a-"), None);
    }
}
