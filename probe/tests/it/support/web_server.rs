//! A server that plays a script on each connection, with or without TLS, and notes what it was asked.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use netqoe_probe::TrustedRoots;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::think;

/// What a server does next. After its last step it closes the connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Waits for the end of a request's head.
    ReadRequest,
    /// Waits for so many bytes of its body.
    ReadBody(usize),
    Wait(Duration),
    Send(Vec<u8>),
    /// The answer to the request that was read, by its path; 404 for any other.
    AnswerByPath(Vec<(&'static str, String)>),
    /// This answer to a request for `/`, and then the end; goes on for any other.
    PageOnly(String),
    /// A redirect to this path, with a user name and password; 200 where that was asked for.
    AnswerLongRedirect(String),
    /// Does nothing more, and leaves the connection open.
    Stall,
}

impl Step {
    pub(crate) fn send(text: &str) -> Self {
        Self::Send(text.into())
    }
}

/// The usual script: a request, and this answer to it.
pub(crate) fn answers(text: &str) -> Vec<Step> {
    vec![Step::ReadRequest, Step::send(text)]
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub(crate) const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// An answer of 200 with a body of so many bytes.
pub(crate) fn object(bytes: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n{}", "x".repeat(bytes))
}

pub(crate) fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// The path that a request asks for.
pub(crate) fn path(request: &str) -> Option<String> {
    request.split(' ').nth(1).map(str::to_owned)
}

/// The host and port that the last request was for.
fn host(seen: &Mutex<Seen>) -> String {
    let seen = seen.lock().unwrap();
    let request = seen.requests.last().map(String::as_str).unwrap_or_default();
    request.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap_or_default().to_owned()
}

/// What a server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) open: usize,
    pub(crate) most_open: usize,
    pub(crate) requests: Vec<String>,
}

pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl WebServer {
    pub(crate) async fn start(script: Vec<Step>) -> Self {
        Self::run("127.0.0.1:0".parse().unwrap(), None, script).await
    }

    pub(crate) async fn start_tls(tls: TlsAcceptor, script: Vec<Step>) -> Self {
        Self::run("127.0.0.1:0".parse().unwrap(), Some(tls), script).await
    }

    /// At this address.
    pub(crate) async fn run(address: SocketAddr, tls: Option<TlsAcceptor>, script: Vec<Step>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let server = Self { address, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, script, seen) = (tls.clone(), script.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    opened(&seen);
                    match tls {
                        None => play(stream, &script, &seen).await,
                        Some(tls) => {
                            // It fails where the probe refuses the certificate, as some tests want it to.
                            if let Ok(stream) = tls.accept(stream).await {
                                play(stream, &script, &seen).await;
                            }
                        }
                    }
                    seen.lock().unwrap().open -= 1;
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, scheme: &str, host: &str, path: &str) -> String {
        format!("{scheme}://{host}:{}{path}", self.address.port())
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }
}

fn opened(seen: &Mutex<Seen>) {
    let mut seen = seen.lock().unwrap();
    seen.connections += 1;
    seen.open += 1;
    seen.most_open = seen.most_open.max(seen.open);
}

async fn play<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, script: &[Step], seen: &Mutex<Seen>) {
    for step in script {
        match step {
            Step::ReadRequest => {
                let Some(request) = read_head(&mut stream).await else { return };
                seen.lock().unwrap().requests.push(request);
            }
            Step::ReadBody(bytes) => {
                let mut body = vec![0; *bytes];
                if stream.read_exact(&mut body).await.is_err() {
                    return;
                }
                seen.lock().unwrap().requests.push(String::from_utf8(body).unwrap());
            }
            Step::Wait(duration) => think(*duration).await,
            Step::Send(bytes) => {
                // A probe that has given up is no fault of the server.
                if stream.write_all(bytes).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            Step::AnswerByPath(answers) => {
                let path = seen.lock().unwrap().requests.last().and_then(|request| path(request)).unwrap_or_default();
                let answer = answers.iter().find(|(known, _)| *known == path).map_or(NOT_FOUND, |(_, answer)| answer);
                if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            Step::PageOnly(answer) => {
                let request = seen.lock().unwrap().requests.last().cloned().unwrap_or_default();
                if path(&request).as_deref() == Some("/") {
                    stream.write_all(answer.as_bytes()).await.ok();
                    break;
                }
            }
            Step::AnswerLongRedirect(to) => {
                let request = seen.lock().unwrap().requests.last().cloned().unwrap_or_default();
                let local = host(seen);
                let there = format!("http://user:secret@{local}{to}");
                let answer = if path(&request).as_ref() == Some(to) { OK.to_owned() } else { redirect(&there) };
                stream.write_all(answer.as_bytes()).await.ok();
            }
            Step::Stall => {
                // Until the probe goes.
                while stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {}
                return;
            }
        }
    }
    stream.shutdown().await.ok();
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// A certificate authority of the test's own.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A certificate that names itself as its issuer passes for self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(crate) fn roots(&self) -> TrustedRoots {
        TrustedRoots::new([self.issuer.der().clone()])
    }

    /// The authority's own certificate, for programs that read a file.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// TLS with a certificate for `host`, signed by this authority.
    pub(crate) fn certify(&self, host: &str) -> TlsAcceptor {
        self.certify_with(host, |_| {}, &[])
    }

    /// The same, also for who asks for it by its address.
    pub(crate) fn certify_at(&self, host: &str, address: IpAddr) -> TlsAcceptor {
        self.certify_with(host, |params| params.subject_alt_names.push(SanType::IpAddress(address)), &[])
    }

    /// The same with HTTP/2.
    pub(crate) fn certify_http2(&self, host: &str) -> TlsAcceptor {
        self.certify_with(host, |_| {}, &["h2"])
    }

    /// The same with HTTP/2 or HTTP/1.1, as the client wants.
    pub(crate) fn certify_both(&self, host: &str) -> TlsAcceptor {
        self.certify_with(host, |_| {}, &["h2", "http/1.1"])
    }

    /// The same with a certificate that expired on the first day of 2021.
    pub(crate) fn certify_expired(&self, host: &str) -> TlsAcceptor {
        self.certify_with(host, |params| params.not_after = rcgen::date_time_ymd(2021, 1, 1), &[])
    }

    /// The same with a certificate that has so many days left, and half of one.
    pub(crate) fn certify_for_days(&self, host: &str, days: u64) -> TlsAcceptor {
        let not_after = SystemTime::now() + Duration::from_hours(24 * days + 12);
        self.certify_with(host, |params| params.not_after = not_after.into(), &[])
    }

    /// The same in one version of TLS, and a client must show a certificate of this authority.
    pub(crate) fn certify_asking(&self, host: &str, version: &'static SupportedProtocolVersion) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = self.sign(&CertificateParams::new([host.to_owned()]).unwrap(), &key);
        let mut clients = RootCertStore::empty();
        clients.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let config = config.with_client_cert_verifier(verifier.build().unwrap());
        let config = config.with_single_cert(vec![certificate.der().clone()], key.into()).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// TLS with a certificate that nobody has signed but itself.
    pub(crate) fn self_signed(host: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate.der().clone()], key.into()).unwrap()))
    }

    /// A certificate for this key, signed by this authority.
    pub(crate) fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        params.signed_by(key, &self.issuer).unwrap()
    }

    fn certify_with(&self, host: &str, change: impl FnOnce(&mut CertificateParams), alpn: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
