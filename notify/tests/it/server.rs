//! HTTP on loopback, answered as a test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rcgen::CertifiedKey;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
pub(crate) struct Request {
    pub(crate) line: String,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Answers each request with the text that a function gives, until the test ends.
pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    requests: Receiver<Request>,
}

impl HttpServer {
    pub(crate) fn start(answer: impl FnMut(&Request) -> String + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), None, answer)
    }

    pub(crate) fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        mut answer: impl FnMut(&Request) -> String + Send + 'static,
    ) -> Self {
        let (sender, requests) = channel();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                match &tls {
                    None => exchange(stream, &mut answer, &sender),
                    Some(config) => exchange(encrypted(stream, config), &mut answer, &sender),
                }
            }
        });
        Self { address, requests }
    }

    /// The next request, which is there or comes soon.
    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(std::time::Duration::from_secs(60)).expect("a request comes")
    }

    /// Whether no request has come.
    pub(crate) fn is_quiet(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn exchange(stream: impl Read + Write, answer: &mut impl FnMut(&Request) -> String, sender: &Sender<Request>) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else { return };
    let answer = answer(&request);
    sender.send(request).ok();
    // A client that has seen enough may have gone.
    reader.get_mut().write_all(answer.as_bytes()).ok();
    reader.get_mut().flush().ok();
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).unwrap() })
}

/// A certificate for `localhost` by itself, as PEM, and what serves with it.
pub(crate) fn certificate() -> (String, Arc<ServerConfig>) {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    (cert.pem(), Arc::new(config))
}

pub(crate) fn encrypted(stream: TcpStream, config: &Arc<ServerConfig>) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}
