//! A proxy on the way to a page: HTTP, by `CONNECT` for `https://`, or SOCKS5 (RFC 1928). The proxy looks the page's name up.
//!
//! All that it takes until the proxy carries bytes is one phase, and no part of the target's own: see D-103.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ::http::Uri;
use netqoe_model::ErrorStage;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clock::{Clock, Span};
use crate::connect::connect;
use crate::deadline::Deadline;
use crate::dns::Lookup;
use crate::endpoint::{parse_port, split_authority};
use crate::http::HeadReader;
use crate::opening::Opening;
use crate::{Failure, Host, Settings, WebUrl};

/// What is read of an answer to `CONNECT` at once; answers are shorter.
const ANSWER_BYTES: usize = 4096;
/// Bytes of such an answer in all.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Version 5, one method, no authentication; the answer must name that.
const SOCKS_GREETING: [u8; 3] = [5, 1, 0];
const SOCKS_CONNECT: [u8; 3] = [5, 1, 0];
/// The longest name that SOCKS5 can carry.
const MAX_SOCKS_NAME_BYTES: usize = 255;

/// A proxy, as it is written in settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    url: String,
    kind: Kind,
    host: Host,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

/// Why a text is not a [`Proxy`]. It does not repeat the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    /// Not a URL of a proxy.
    #[error("a proxy is written as http://HOST:PORT or socks5://HOST:PORT")]
    Form,
    /// Proxies that want a password are not supported.
    #[error("a proxy's URL must not hold a user name or password: netqoe sends none to proxies")]
    Credentials,
}

/// The proxy by which a page was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProxyEvidence {
    /// As it is written in the settings.
    pub url: String,
    /// Where it was reached, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
}

impl FromStr for Proxy {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let uri: Uri = text.parse().map_err(|_| InvalidProxy::Form)?;
        let kind = match uri.scheme_str() {
            Some("http") => Kind::Http,
            // Here both leave the lookup to the proxy.
            Some("socks5" | "socks5h") => Kind::Socks5,
            _ => return Err(InvalidProxy::Form),
        };
        let authority = uri.authority().ok_or(InvalidProxy::Form)?.as_str();
        if authority.contains('@') {
            return Err(InvalidProxy::Credentials);
        }
        let (host, port) = split_authority(authority);
        let host = Host::parse(host).ok_or(InvalidProxy::Form)?;
        let port = port.and_then(parse_port).ok_or(InvalidProxy::Form)?;
        if uri.path_and_query().is_some_and(|path| !matches!(path.as_str(), "" | "/")) {
            return Err(InvalidProxy::Form);
        }
        Ok(Self { url: text.trim_end_matches('/').to_owned(), kind, host, port })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Proxy {
    /// Whether it is asked for a page by the page's whole URL, in place of a connection to its server.
    pub(crate) fn takes_whole_url(&self, page: &WebUrl) -> bool {
        self.kind == Kind::Http && !page.is_https()
    }

    pub(crate) fn evidence(&self, address: Option<SocketAddr>) -> ProxyEvidence {
        ProxyEvidence { url: self.url.clone(), address }
    }

    /// A connection to the proxy that carries bytes to the server of `page`. The phase is that of the lookup of the proxy, of the connection to
    /// it and of its consent, which it gives once it is connected to the server itself.
    pub(crate) async fn open(
        &self,
        page: &WebUrl,
        settings: &Settings,
        clock: Clock,
        deadline: Deadline,
        opening: &mut Opening,
    ) -> Result<TcpStream, Failure> {
        let start = clock.now();
        let opened = async { Ok(self.try_open(page, settings, clock, deadline, opening).await) };
        let opened = deadline.hold(ErrorStage::Tcp, opened).await;
        let stream = opened.and_then(|opened| opened.map_err(|cause| self.failure(cause)));
        if stream.is_ok() {
            opening.proxy = Some(clock.since(start));
        }
        stream
    }

    async fn try_open(
        &self,
        page: &WebUrl,
        settings: &Settings,
        clock: Clock,
        deadline: Deadline,
        opening: &mut Opening,
    ) -> Result<TcpStream, String> {
        let own = self.host.address().map_err(|failure| failure.to_string())?;
        let addresses = match own {
            Some(address) => vec![address],
            None => {
                let lookup = Lookup::start(self.host.as_str(), settings.families(), &settings.name_servers, clock);
                let mut lookup = lookup.map_err(|failure| failure.to_string())?;
                lookup.addresses(deadline.at()).await.map_err(|failure| failure.to_string())?.0
            }
        };
        let connected = connect(&addresses, self.port, clock, &mut opening.attempts).await;
        let (mut stream, _): (_, Span) = connected.map_err(|failure| failure.to_string())?;
        (opening.local, opening.proxy_address) = (stream.local_addr().ok(), stream.peer_addr().ok());
        if !self.takes_whole_url(page) {
            match self.kind {
                Kind::Http => ask_http(&mut stream, page).await?,
                Kind::Socks5 => ask_socks(&mut stream, page).await?,
            }
        }
        Ok(stream)
    }

    fn failure(&self, cause: String) -> Failure {
        Failure::Proxy { proxy: self.url.clone(), cause }
    }
}

/// `CONNECT` (RFC 9110, section 9.3.6).
async fn ask_http(stream: &mut TcpStream, page: &WebUrl) -> Result<(), String> {
    let host = match page.host().ip() {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        None => page.host().as_str().to_owned(),
    };
    let server = format!("{host}:{}", page.port());
    let request = format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let (mut reader, mut buffer, mut total) = (HeadReader::default(), [0; ANSWER_BYTES], 0);
    loop {
        let bytes = stream.read(&mut buffer).await.map_err(|error| error.to_string())?;
        if bytes == 0 {
            return Err("it closed the connection before it answered".to_owned());
        }
        total += bytes;
        let (taken, head) = reader.push(&buffer[..bytes]).map_err(|bad| format!("its answer is not HTTP: {bad}"))?;
        match head {
            Some(head) if (200..300).contains(&head.status) && taken < bytes => {
                return Err("it sent something before it was asked to carry anything".to_owned());
            }
            Some(head) if (200..300).contains(&head.status) => return Ok(()),
            Some(head) if head.status == 407 => {
                return Err("it wants a user name and password (status 407), and netqoe sends none".to_owned());
            }
            Some(head) => return Err(format!("it answered CONNECT to {server} with status {}", head.status)),
            None if total > MAX_ANSWER_BYTES => return Err("its answer has no end".to_owned()),
            None => {}
        }
    }
}

async fn ask_socks(stream: &mut TcpStream, page: &WebUrl) -> Result<(), String> {
    let request = socks_request(page)?;
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it closed the connection before it answered".to_owned(),
        _ => error.to_string(),
    };
    stream.write_all(&SOCKS_GREETING).await.map_err(io)?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await.map_err(io)?;
    match answer {
        [5, 0] => {}
        [5, _] => return Err("it wants a user name and password, and netqoe sends none".to_owned()),
        _ => return Err("it does not speak SOCKS5".to_owned()),
    }
    stream.write_all(&request).await.map_err(io)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.map_err(io)?;
    let [version, reply, _, address_type] = answer;
    if version != 5 {
        return Err("it does not speak SOCKS5".to_owned());
    }
    if reply != 0 {
        return Err(format!("it can't connect to {}: {}", page.host().as_str(), socks_words(reply)));
    }
    // Its own address and port, which nobody needs.
    let address_bytes = match address_type {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(io)?),
        _ => return Err("it does not speak SOCKS5".to_owned()),
    };
    stream.read_exact(&mut vec![0; address_bytes + 2]).await.map_err(io)?;
    Ok(())
}

fn socks_request(page: &WebUrl) -> Result<Vec<u8>, String> {
    let mut request = SOCKS_CONNECT.to_vec();
    match page.host().ip() {
        Some(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend(ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend(ip.octets());
        }
        None => {
            let name = page.host().as_str().as_bytes();
            let length = u8::try_from(name.len())
                .map_err(|_| format!("SOCKS5 carries names of at most {MAX_SOCKS_NAME_BYTES} bytes"))?;
            request.extend([3, length]);
            request.extend(name);
        }
    }
    request.extend(page.port().to_be_bytes());
    Ok(request)
}

fn socks_words(reply: u8) -> &'static str {
    match reply {
        2 => "its rules forbid that",
        3 => "the network is unreachable",
        4 => "the host is unreachable",
        5 => "connection refused",
        6 => "the time to live has expired",
        7 | 8 => "it does not support such connections",
        _ => "it does not say why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_kind_a_host_and_a_port() {
        for (text, kind) in [
            ("http://proxy.test:3128", Kind::Http),
            ("http://proxy.test:3128/", Kind::Http),
            ("socks5://[::1]:1080", Kind::Socks5),
            ("socks5h://192.0.2.1:1080", Kind::Socks5),
        ] {
            let proxy: Proxy = text.parse().unwrap();
            assert_eq!((proxy.kind, proxy.to_string().as_str()), (kind, text.trim_end_matches('/')));
        }
        for text in ["", "proxy.test:3128", "http://proxy.test", "https://proxy.test:443", "http://proxy.test:1/x"] {
            assert_eq!(text.parse::<Proxy>(), Err(InvalidProxy::Form), "{text}");
        }
        let error = "http://user:secret@proxy.test:1".parse::<Proxy>().unwrap_err();
        assert!(error == InvalidProxy::Credentials && !error.to_string().contains("secret"));
    }

    #[test]
    fn socks_carries_names_and_addresses() {
        let request = |url: &str| socks_request(&url.parse().unwrap()).unwrap();
        assert_eq!(request("https://a.test/"), b"\x05\x01\x00\x03\x06a.test\x01\xbb");
        assert_eq!(request("http://192.0.2.1/"), [5, 1, 0, 1, 192, 0, 2, 1, 0, 80]);
        assert_eq!(request("http://[::1]:8080/")[3..], [&[4][..], &[0; 15], &[1], &[0x1f, 0x90]].concat());
    }
}
