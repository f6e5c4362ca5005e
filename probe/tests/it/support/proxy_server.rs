//! Proxies: one that carries bytes to where it is asked to, after a while; and some that do not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::think;

/// What a proxy does with a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// HTTP: `CONNECT`, and requests for whole URLs.
    Http,
    Socks5,
    /// Sends this at once, whatever is asked.
    Says(&'static [u8]),
    /// The same once it has been greeted.
    SaysAfterGreeting(&'static [u8]),
    /// Says nothing.
    Silent,
}

pub(crate) struct ProxyServer {
    pub(crate) address: SocketAddr,
    /// What it was asked for, in its own words.
    asked: Arc<Mutex<Vec<String>>>,
}

impl ProxyServer {
    /// It thinks for a while before it connects; every name is this machine's.
    pub(crate) async fn start(manner: Manner, thinking: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let asked = Arc::clone(&noted);
                // It ends where the probe gives up, as some tests want it to.
                tokio::spawn(async move { serve(stream, manner, thinking, &asked).await.ok() });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    manner: Manner,
    thinking: Duration,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    match manner {
        Manner::Http => {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            let head = String::from_utf8(head).unwrap();
            let line = head.lines().next().unwrap().to_owned();
            asked.lock().unwrap().push(line.clone());
            think(thinking).await;
            let mut words = line.split(' ');
            let (method, of) = (words.next().unwrap(), words.next().unwrap());
            let is_tunnel = method == "CONNECT";
            let server = of.trim_start_matches("http://").split('/').next().unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port(server))).await?;
            if is_tunnel {
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            } else {
                server.write_all(head.as_bytes()).await?;
            }
            copy_bidirectional(&mut stream, &mut server).await.map(drop)
        }
        Manner::Socks5 => {
            stream.read_exact(&mut [0; 3]).await?;
            stream.write_all(&[5, 0]).await?;
            let mut request = [0; 5];
            stream.read_exact(&mut request).await?;
            assert_eq!(request[..4], [5, 1, 0, 3], "a name is asked for");
            let mut rest = vec![0; usize::from(request[4]) + 2];
            stream.read_exact(&mut rest).await?;
            let (name, port) = rest.split_at(usize::from(request[4]));
            let port = u16::from_be_bytes(port.try_into().unwrap());
            asked.lock().unwrap().push(format!("{}:{port}", String::from_utf8_lossy(name)));
            think(thinking).await;
            let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await?;
            copy_bidirectional(&mut stream, &mut server).await.map(drop)
        }
        Manner::Says(bytes) => {
            stream.write_all(bytes).await?;
            read_to_end(stream).await
        }
        Manner::SaysAfterGreeting(bytes) => {
            stream.read_exact(&mut [0; 3]).await?;
            stream.write_all(&[5, 0]).await?;
            stream.read_exact(&mut [0; 5]).await?;
            stream.write_all(bytes).await?;
            read_to_end(stream).await
        }
        Manner::Silent => read_to_end(stream).await,
    }
}

fn port(server: &str) -> u16 {
    server.rsplit(':').next().unwrap().parse().unwrap()
}

async fn read_to_end(mut stream: TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}
