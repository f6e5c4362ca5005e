//! What a request's head must say so that nobody on its way can read it in another way: one host, and no coding that is
//! not understood here.

use http::header::{self, HeaderMap};
use http::uri::Authority;
use http::{Request, Uri, Version};

use crate::answer::{Code, Refusal};

/// Bytes of a head's lines beside names, values and target: the spaces, the version, the line ends.
const FIRST_LINE_BYTES: usize = "  HTTP/1.1\r\n\r\n".len();
const EACH_LINE_BYTES: usize = ": \r\n".len();

/// Refuses a head that is not as HTTP wants it.
pub(crate) fn check(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    check_coding(headers)?;
    check_host(version, uri, headers)
}

fn check_coding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        let message =
            "of transfer codings only `chunked` is understood, once; compress the body and say so in Content-Encoding";
        return Err(Refusal::new(Code::NotImplemented, message));
    }
    if headers.contains_key(header::CONTENT_LENGTH) {
        let message = "Content-Length and Transfer-Encoding say both how long the body is; send one of them";
        return Err(Refusal::new(Code::InvalidRequest, message));
    }
    Ok(())
}

fn check_host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |message: &'static str| Err(Refusal::new(Code::InvalidRequest, message));
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return refuse("the request has more than one Host header; send one");
    }
    let asked = uri.authority().map(Authority::as_str);
    if asked.is_some_and(|asked| parse_host(asked.as_bytes()).is_none()) {
        return refuse("the request's address names no valid host; send a name or an address, and a port if need be");
    }
    match (host, asked) {
        (None, None) if version > Version::HTTP_10 => refuse("the request has no Host header; send one"),
        (None, _) => Ok(()),
        (Some(host), asked) => {
            let is_same = |asked: &str| host.as_bytes().eq_ignore_ascii_case(asked.as_bytes());
            // Empty is what HTTP wants where an address has no host.
            if !host.is_empty() && parse_host(host.as_bytes()).is_none() {
                refuse("the Host header names no valid host; send a name or an address, and a port if need be")
            } else if asked.is_some_and(|asked| !is_same(asked)) {
                refuse("the Host header names another host than the request's address; send the same in both")
            } else {
                Ok(())
            }
        }
    }
}

/// The host that a `Host` header, or the authority of an address, names; none where it is anything but `host` or
/// `host:port`. A user name is none of HTTP's.
pub(crate) fn parse_host(text: &[u8]) -> Option<Authority> {
    // A comma is what two headers that somebody has made one of have between them.
    let authority = Authority::try_from(text).ok().filter(|authority| !authority.as_str().contains(','))?;
    let after_host = authority.as_str().strip_prefix(authority.host())?;
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && (port.is_empty() || port.parse::<u16>().is_ok());
    (after_host.is_empty() || after_host.strip_prefix(':').is_some_and(is_port)).then_some(authority)
}

/// About as many bytes as the head of this request was on its way.
pub(crate) fn bytes<B>(request: &Request<B>) -> usize {
    let target = request.uri().path_and_query().map_or(1, |target| target.as_str().len());
    let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + EACH_LINE_BYTES);
    request.method().as_str().len() + target + FIRST_LINE_BYTES + lines.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(version: Version, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().version(version).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[track_caller]
    fn status(version: Version, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let request = head(version, uri, headers);
        check(version, request.uri(), request.headers())
            .map_or_else(|refusal| refusal.error.status().as_u16(), |()| 200)
    }

    #[test]
    fn one_host_is_named() {
        let (one, old, two) = (Version::HTTP_11, Version::HTTP_10, Version::HTTP_2);
        for host in [
            "localhost",
            "localhost:8081",
            "LOCALHOST",
            "127.0.0.1",
            "[::1]:8081",
            "ingest_backend",
            "a.example.:80",
            "a:",
            "",
        ] {
            assert_eq!(status(one, "/", &[("host", host)]), 200, "{host:?}");
        }
        for host in [
            "evil@localhost",
            "evil:secret@localhost",
            "@localhost",
            "localhost@",
            "localhost:x",
            "localhost:80:80",
            "localhost:99999",
            "localhost:-1",
            "localhost/x",
            "localhost?x",
            "localhost#x",
            "a b",
            "http://localhost",
            "[::1",
            "a,b",
            "localhost, localhost",
            "a\\b",
            "a\tb",
        ] {
            assert_eq!(status(one, "/", &[("host", host)]), 400, "{host:?}");
        }
        assert_eq!(status(one, "/", &[]), 400);
        assert_eq!(status(two, "/", &[]), 400);
        assert_eq!(status(old, "/", &[]), 200, "HTTP/1.0 knows no Host");
        for version in [old, one, two] {
            assert_eq!(status(version, "/", &[("host", "a"), ("host", "a")]), 400);
            assert_eq!(status(version, "/", &[("host", "a"), ("host", "b")]), 400);
            assert_eq!(status(version, "http://a.example:80/", &[("host", "A.example:80")]), 200);
            assert_eq!(status(version, "http://a.example/", &[("host", "b.example")]), 400);
            assert_eq!(status(version, "http://evil@localhost/", &[("host", "evil@localhost")]), 400);
            assert_eq!(status(version, "http://evil@localhost/", &[("host", "localhost")]), 400);
        }
        assert_eq!(status(two, "http://localhost/", &[]), 200);
        assert_eq!(status(two, "http://evil@localhost/", &[]), 400);
    }

    #[test]
    fn no_coding_is_taken_for_another() {
        let with = |codings: &[&'static str]| {
            let headers: Vec<_> =
                codings.iter().map(|coding| ("transfer-encoding", *coding)).chain([("host", "a")]).collect();
            status(Version::HTTP_11, "/", &headers)
        };
        assert_eq!([with(&[]), with(&["chunked"]), with(&["Chunked"])], [200; 3]);
        for codings in [
            &["gzip, chunked"][..],
            &["gzip", "chunked"],
            &["chunked, chunked"],
            &["chunked", "chunked"],
            &["identity"],
            &[""],
            &["chunked, gzip"],
        ] {
            assert_eq!(with(codings), 501, "{codings:?}");
        }
        let both = [("transfer-encoding", "chunked"), ("content-length", "3"), ("host", "a")];
        assert_eq!(status(Version::HTTP_11, "/", &both), 400);
    }

    proptest! {
        #[test]
        fn a_host_is_nothing_but_a_host_and_a_port(text: Vec<u8>) {
            if let Some(host) = parse_host(&text) {
                prop_assert!(!host.as_str().contains('@'));
                prop_assert_eq!(host.as_str().as_bytes(), &text[..]);
            }
        }

        #[test]
        fn any_host_near_a_valid_one_is_judged(text in "[a-z@:.\\[\\]0-9 ,/]{0,20}") {
            if let Some(host) = parse_host(text.as_bytes()) {
                prop_assert!(!text.contains(['@', '/', ' ']) && text.starts_with(host.host()), "{}", text);
            }
        }
    }
}
