//! One request at a time, written by hand, so that a test decides every byte of it.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::PATIENCE;

pub(crate) const JSON: (&str, &str) = ("Content-Type", "application/json");
pub(crate) const NDJSON: (&str, &str) = ("Content-Type", "application/x-ndjson");
/// What the guide's load tests send.
pub(crate) const DEMO_TOKEN: (&str, &str) = ("Authorization", "Bearer demo-token");

/// What a server says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> io::Result<Self> {
        let no_answer = || io::Error::other(format!("no answer: {text:?}"));
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(no_answer)?;
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        Ok(Self { status: status.ok_or_else(no_answer)?, head: head.to_ascii_lowercase(), body: body.to_owned() })
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) fn get(port: u16, path: &str) -> io::Result<Answer> {
    send(port, "GET", path, &[], b"")
}

/// Posts to the events route.
pub(crate) fn post(port: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> io::Result<Answer> {
    send(port, "POST", "/api/v1/events", headers, body.as_ref())
}

pub(crate) fn send(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
    let length = body.len().to_string();
    let headers = [&[("Host", "localhost"), ("Connection", "close"), ("Content-Length", &length)], headers].concat();
    send_as_it_is(port, method, path, &headers, body)
}

/// With these headers and no others.
pub(crate) fn send_as_it_is(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(&[format!("{method} {path} HTTP/1.1\r\n{headers}\r\n").as_bytes(), body].concat())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Answer::parse(&answer)
}
