//! The head of an answer over HTTP/1, as real servers write it: bytes in, the fields that matter out.
//!
//! What curl or browsers accept is accepted: folded lines, spaces before the colon, line ends without CR, lines
//! without a colon, any byte but NUL.
//!
//! Decision: D-074.

use std::borrow::Cow;

use ::http::HeaderMap;

use crate::{ExpectedHeader, ToldHeader};

/// Longest head of an answer, together with the interim answers and trailers. curl takes 300 KiB, browsers 256 KiB.
pub(super) const MAX_HEAD_BYTES: usize = 512 * 1024;

/// The fields that every measurement looks at; of all others, those that are expected.
const KEPT: [&str; 11] = [
    "age",
    "content-encoding",
    "content-length",
    "content-type",
    "location",
    "retry-after",
    "server",
    "set-cookie",
    "transfer-encoding",
    "via",
    "x-cache",
];
/// Those that evidence holds: who has answered, from a cache or not, and when to come again.
const TOLD: [&str; 6] = ["server", "via", "x-cache", "age", "retry-after", "content-type"];
/// Bytes of a value that evidence holds.
const MAX_TOLD_BYTES: usize = 120;

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    fields: Vec<(Cow<'static, str>, Vec<u8>)>,
}

/// Why bytes are not an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHead {
    #[error("it does not begin with HTTP/ and a status")]
    NotHttp,
    #[error("its head holds a NUL byte")]
    Nul,
    #[error("its head, interim answers included, is longer than {} KiB", MAX_HEAD_BYTES / 1024)]
    TooLong,
}

impl Head {
    /// Of HTTP/2 and HTTP/3.
    pub(super) fn of(status: u16, headers: &HeaderMap, wanted: &[ExpectedHeader]) -> Self {
        let mut head = Self { status, fields: Vec::new() };
        for (name, value) in headers {
            head.keep(name.as_str().as_bytes(), value.as_bytes(), wanted);
        }
        head
    }

    /// The values of a field, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |(kept, _)| *kept == name).map(|(_, value)| value.as_slice())
    }

    /// Its text, where the field is there.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.values(name).next().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// The fields that evidence holds, the first of each name.
    pub(crate) fn told(&self) -> Vec<ToldHeader> {
        let told = TOLD.iter().filter_map(|name| {
            let value = self.values(name).next()?;
            let value = String::from_utf8_lossy(&value[..value.len().min(MAX_TOLD_BYTES)]).into_owned();
            Some(ToldHeader { name, value })
        });
        told.collect()
    }

    /// The length that is announced. Several contradict each other as a rule by mistake; the last counts, as with curl.
    /// A length that is not a number is ignored.
    pub(super) fn content_length(&self) -> Option<u64> {
        let last = self.values("content-length").last()?;
        let digits = &last[last.iter().take_while(|byte| **byte == b'+').count()..];
        let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
    }

    pub(super) fn is_chunked(&self) -> bool {
        self.values("transfer-encoding")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
    }

    fn keep(&mut self, name: &[u8], value: &[u8], wanted: &[ExpectedHeader]) {
        let is_it = |kept: &str| name.eq_ignore_ascii_case(kept.as_bytes());
        if let Some(kept) = KEPT.iter().find(|kept| is_it(kept)) {
            self.fields.push((Cow::Borrowed(kept), value.to_vec()));
        } else if let Some(wanted) = wanted.iter().find(|wanted| is_it(wanted.name.as_str())) {
            self.fields.push((Cow::Owned(wanted.name.as_str().to_owned()), value.to_vec()));
        }
    }
}

/// Reads one head, however it is cut into pieces.
#[derive(Debug, Default)]
pub(crate) struct HeadReader<'a> {
    line: Vec<u8>,
    head: Option<Head>,
    /// Whether the last field was kept, and a folded line goes on with it.
    is_last_kept: bool,
    wanted: &'a [ExpectedHeader],
}

impl<'a> HeadReader<'a> {
    /// Keeps these headers, too.
    pub(super) fn wanting(wanted: &'a [ExpectedHeader]) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Takes bytes until the head ends. How many it took, and the head if it has ended.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(usize, Option<Head>), BadHead> {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            let piece = &rest[..end.unwrap_or(rest.len())];
            if piece.contains(&0) {
                return Err(if self.head.is_none() { BadHead::NotHttp } else { BadHead::Nul });
            }
            self.line.extend_from_slice(piece);
            self.check_beginning()?;
            taken += piece.len() + usize::from(end.is_some());
            if end.is_some() && self.end_line()? {
                return Ok((taken, self.head.take()));
            }
        }
        Ok((taken, None))
    }

    /// Whether anything but empty lines has come.
    pub(super) fn has_begun(&self) -> bool {
        self.head.is_some() || !self.line.trim_ascii_start().is_empty()
    }

    /// The head where the connection was closed instead of an empty line, as curl and browsers take it.
    pub(super) fn close(&mut self) -> Option<Head> {
        if self.line.is_empty() { self.head.take() } else { None }
    }

    /// What is not HTTP may never have a line's end.
    fn check_beginning(&self) -> Result<(), BadHead> {
        let line = self.line.trim_ascii_start();
        let begun = &line[..line.len().min(5)];
        let is_http = self.head.is_some() || begun.eq_ignore_ascii_case(&b"HTTP/"[..begun.len()]);
        is_http.then_some(()).ok_or(BadHead::NotHttp)
    }

    /// Whether the head has ended.
    fn end_line(&mut self) -> Result<bool, BadHead> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let Some(head) = &mut self.head else {
            if !line.trim_ascii().is_empty() {
                self.head = Some(Head { status: status(line).ok_or(BadHead::NotHttp)?, fields: Vec::new() });
            }
            return Ok(false);
        };
        if line.is_empty() {
            return Ok(true);
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let (true, Some((_, value))) = (self.is_last_kept, head.fields.last_mut()) {
                if !value.is_empty() {
                    value.push(b' ');
                }
                value.extend_from_slice(line.trim_ascii());
            }
            return Ok(false);
        }
        let before = head.fields.len();
        if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            head.keep(line[..colon].trim_ascii(), line[colon + 1..].trim_ascii(), self.wanted);
        }
        self.is_last_kept = head.fields.len() > before;
        Ok(false)
    }
}

/// The status of a status line: `HTTP/`, a version, white space, three digits. What follows is the reason, if any.
fn status(line: &[u8]) -> Option<u16> {
    let line = line.trim_ascii_start();
    let rest = line.get(5..).filter(|_| line[..5].eq_ignore_ascii_case(b"HTTP/"))?;
    let version_end = rest.iter().position(u8::is_ascii_whitespace)?;
    let is_version = rest[..version_end].iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let rest = rest[version_end..].trim_ascii_start();
    let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let is_longer = rest.get(3).is_some_and(u8::is_ascii_digit);
    let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    (is_version && version_end > 0 && !is_longer && status >= 100).then_some(status)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Result<Option<Head>, BadHead> {
        HeadReader::default().push(text).map(|(_, head)| head)
    }

    #[test]
    fn evidence_holds_who_has_answered_and_no_secret() {
        let long = "x".repeat(1_000);
        let text = format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: secret\r\nAGE: 17\r\nServer: a\r\nServer: b\r\nVia: {long}\r\nX-Other: y\r\n\r\n"
        );
        let told = read(text.as_bytes()).unwrap().unwrap().told();
        let told: Vec<_> = told.iter().map(|header| (header.name, header.value.as_str())).collect();
        assert_eq!(told, [("server", "a"), ("via", &long[..MAX_TOLD_BYTES]), ("age", "17")]);
    }

    #[track_caller]
    fn check(text: &str, status: u16, field: (&str, Option<&str>)) {
        let head = read(text.as_bytes()).unwrap().unwrap_or_else(|| panic!("{text:?} has no end"));
        assert_eq!(head.status, status, "{text:?}");
        assert_eq!(head.text(field.0).as_deref(), field.1, "{text:?}");
    }

    #[test]
    fn status_lines_as_servers_write_them() {
        for line in
            ["HTTP/1.1 200 OK", "HTTP/1.1 200", "http/1.0 200 ", "HTTP/1.1  200 OK", "HTTP/2 200", "HTTP/1.1 200OK"]
        {
            check(&format!("{line}\r\n\r\n"), 200, ("location", None));
            check(&format!("\r\n{line}\n\n"), 200, ("location", None));
        }
        for line in ["220 mail", "ICY 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 X", "HTTP/1.1 abc"] {
            assert_eq!(read(format!("{line}\r\n\r\n").as_bytes()), Err(BadHead::NotHttp), "{line}");
        }
        assert_eq!(read(b"denied"), Err(BadHead::NotHttp), "without waiting for its end");
    }

    #[test]
    fn fields_as_servers_write_them() {
        let check =
            |line: &str, location| check(&format!("HTTP/1.1 302 F\r\n{line}\r\n\r\n"), 302, ("location", location));
        check("Location: /a", Some("/a"));
        check("LOCATION:/a\t", Some("/a"));
        check("Location : /a", Some("/a"));
        check("Location:\r\n /a", Some("/a"));
        check("Location: /a\r\nX: b\r\n c", Some("/a"));
        check("garbage\r\n folded\r\nX Y: z\r\n: v\r\nX\u{e9}: \u{1}\r\nLocation: /a", Some("/a"));
        check(" folded first\r\nLocation: /a", Some("/a"));
        check("Location:", Some(""));
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"), Err(BadHead::Nul));
    }

    #[test]
    fn lengths_as_servers_write_them() {
        let length = |lines: &str| {
            read(format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n").as_bytes()).unwrap().unwrap().content_length()
        };
        assert_eq!(length("Content-Length: 5"), Some(5));
        assert_eq!(length("Content-Length: 5\r\nContent-Length: 5"), Some(5));
        assert_eq!(length("Content-Length: 5, 5"), Some(5));
        assert_eq!(length("Content-Length: 3\r\nContent-Length: 5"), Some(5));
        for none in ["-5", "five", "", "99999999999999999999999"] {
            assert_eq!(length(&format!("Content-Length: {none}")), None, "{none}");
        }
    }

    #[test]
    fn a_head_may_be_cut_anywhere_and_leaves_what_follows_it() {
        let text = b"HTTP/1.1 200 OK\r\nLocation: /a\r\nX: y\r\n\r\n";
        for at in 0..text.len() {
            let mut reader = HeadReader::default();
            assert_eq!(reader.push(&text[..at]), Ok((at, None)));
            let (taken, head) = reader.push(&[&text[at..], b"body"].concat()).unwrap();
            assert_eq!((taken, head.unwrap().status), (text.len() - at, 200));
        }
    }

    #[test]
    fn a_close_ends_a_head_after_a_whole_line_only() {
        let close = |text: &[u8]| {
            let mut reader = HeadReader::default();
            reader.push(text).unwrap();
            reader.close().map(|head| head.status)
        };
        assert_eq!(close(b"HTTP/1.1 200 OK\r\nX: y\r\n"), Some(200));
        assert_eq!(close(b"HTTP/1.1 200 OK\r\nX: y"), None);
        assert_eq!(close(b"HTTP/1.1 200 OK"), None);
        assert_eq!(close(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_the_same_in_pieces(
            bytes in proptest::collection::vec(proptest::sample::select(b"HTTP/1. 20\r\n:x\t\0\xff".to_vec()), 0..120),
            at in 0_usize..120,
        ) {
            let at = at.min(bytes.len());
            let mut reader = HeadReader::default();
            let in_pieces = match reader.push(&bytes[..at]) {
                Ok((_, None)) => reader.push(&bytes[at..]).map(|(_, head)| head),
                other => other.map(|(_, head)| head),
            };
            prop_assert_eq!(in_pieces, read(&bytes));
        }
    }
}
