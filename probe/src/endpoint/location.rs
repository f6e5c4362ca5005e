//! Where a redirect leads: the bytes of a `Location`, resolved as RFC 3986 says and browsers and curl do.
//!
//! The bytes of path and query are asked for as they are. Only what can't stand in a request (spaces, control characters,
//! what is beyond ASCII) is percent-encoded.
//!
//! Decision: D-075.

use ::http::header::HeaderValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode;

use super::host::{parse_port, split_authority};
use super::{Host, WebUrl, known_to_server};

/// Longest URL that is followed. The library for HTTP/2 holds 65,534 bytes.
const MAX_URL_BYTES: usize = 60_000;
/// As much of a URL as a message or an event shows.
const SHOWN_BYTES: usize = 256;

/// Why a `Location` can't be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLocation {
    /// Longer than any server reads.
    #[error("a URL of {bytes} bytes, percent-encoded; the longest that is followed has {MAX_URL_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A URL of something else.
    #[error("{url:?}, which is not a page: only http:// and https:// are followed")]
    NotWeb {
        /// Its beginning.
        url: String,
    },
    /// No host that can be looked up or connected to.
    #[error("{url:?}, which has no valid host")]
    Host {
        /// Its beginning.
        url: String,
    },
    /// No port that can be connected to.
    #[error("{url:?}, which has no valid port: a number from 1 to 65535")]
    Port {
        /// Its beginning.
        url: String,
    },
}

/// The page that `location`, an answer for `from`, names.
pub(super) fn resolve(from: &WebUrl, location: &[u8]) -> Result<WebUrl, InvalidLocation> {
    let location = location.trim_ascii();
    let end = location.iter().position(|byte| *byte == b'#').unwrap_or(location.len());
    let reference = encode(&location[..end]);
    if reference.len() > MAX_URL_BYTES {
        return Err(InvalidLocation::TooLong { bytes: reference.len() });
    }
    let (is_https, rest) = match scheme(&reference) {
        None => (from.is_https, reference.as_str()),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") && rest.starts_with('/') => (false, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") && rest.starts_with('/') => (true, rest),
        Some(_) => return Err(InvalidLocation::NotWeb { url: shown(&reference) }),
    };
    let has_scheme = rest.len() < reference.len();
    let authority_and_path = match rest.strip_prefix("//") {
        // One slash and three are mistakes that curl and browsers forgive.
        Some(rest) if has_scheme => Some(rest.trim_start_matches('/')),
        None if has_scheme => Some(rest.trim_start_matches('/')),
        other => other,
    };
    let Some(text) = authority_and_path else {
        let url = WebUrl { path_and_query: on_page(from, rest), ..from.clone() };
        return within_bounds(url);
    };
    let end = text.find(['/', '?']).unwrap_or(text.len());
    let mut url = at(is_https, &text[..end]).map_err(|wrong| match wrong {
        Wrong::Host => InvalidLocation::Host { url: without_user(&reference) },
        Wrong::Port => InvalidLocation::Port { url: without_user(&reference) },
    })?;
    url.path_and_query = normal(&text[end..]);
    if url.authorization.is_none() && url.is_same_origin(from) {
        url.authorization.clone_from(&from.authorization);
    }
    within_bounds(url)
}

/// Percent-encodes what can't stand in a request.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() {
            text.push(char::from(*byte));
        } else {
            text.push_str(percent_encoding::percent_encode_byte(*byte));
        }
    }
    text
}

/// The beginning of a URL, for eyes.
pub(super) fn shown(url: &str) -> String {
    let mut shown: String = url.chars().take(SHOWN_BYTES).collect();
    if shown.len() < url.len() {
        shown.push('…');
    }
    shown
}

/// Passwords are shown to nobody.
fn without_user(url: &str) -> String {
    let end = url.find("//").map_or(0, |at| at + 2);
    let authority = &url[end..url[end..].find(['/', '?']).map_or(url.len(), |at| end + at)];
    match authority.rfind('@') {
        Some(at) => shown(&format!("{}{}", &url[..end], &url[end + at + 1..])),
        None => shown(url),
    }
}

fn within_bounds(url: WebUrl) -> Result<WebUrl, InvalidLocation> {
    let bytes = url.path_and_query.len();
    if bytes > MAX_URL_BYTES { Err(InvalidLocation::TooLong { bytes }) } else { Ok(url) }
}

/// The scheme that a reference begins with, and what follows its colon.
fn scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}

enum Wrong {
    Host,
    Port,
}

/// A server, from the authority of a URL.
fn at(is_https: bool, authority: &str) -> Result<WebUrl, Wrong> {
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(user), authority),
        None => (None, authority),
    };
    let (name, port) = split_authority(authority);
    let written = port.filter(|port| !port.is_empty());
    let port = match written {
        Some(port) => Some(parse_port(port).ok_or(Wrong::Port)?),
        None => None,
    };
    let (name, host) = match Host::parse(name) {
        Some(host) if !name.contains('%') => (name.to_owned(), host),
        // International names, and the old ways to write an address, as browsers read them.
        _ => {
            let name = url::Host::parse(name).map_err(|_| Wrong::Host)?.to_string();
            let host = Host::parse(&name).ok_or(Wrong::Host)?;
            (name, host)
        }
    };
    let authority = written.map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
    let authority = HeaderValue::from_str(&known_to_server(&authority, &host)).map_err(|_| Wrong::Host)?;
    let port = port.unwrap_or(if is_https { 443 } else { 80 });
    let authorization = user.filter(|user| !user.is_empty()).map(basic);
    Ok(WebUrl { is_https, host, port, authority, path_and_query: String::new(), authorization, asked_for: None })
}

/// The header that a user name and password become.
fn basic(user: &str) -> String {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut both: Vec<u8> = percent_decode(name.as_bytes()).collect();
    both.push(b':');
    both.extend(percent_decode(password.as_bytes()));
    format!("Basic {}", BASE64_STANDARD.encode(both))
}

/// A reference without scheme and host, on the page that it stands on.
fn on_page(from: &WebUrl, reference: &str) -> String {
    let (path, _) = from.path_and_query.split_once('?').unwrap_or((&from.path_and_query, ""));
    if reference.is_empty() {
        from.path_and_query.clone()
    } else if reference.starts_with('?') {
        format!("{path}{reference}")
    } else if reference.starts_with('/') {
        normal(reference)
    } else {
        let folder = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
        normal(&format!("{folder}{reference}"))
    }
}

/// A path, with its query, without the segments `.` and `..` (RFC 3986, section 5.2.4).
fn normal(path_and_query: &str) -> String {
    let query_at = path_and_query.find('?').unwrap_or(path_and_query.len());
    let (path, query) = path_and_query.split_at(query_at);
    let mut segments: Vec<&str> = Vec::new();
    let mut is_folder = false;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        is_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    if is_folder {
        segments.push("");
    }
    format!("/{}{query}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from() -> WebUrl {
        "http://a.test:8080/dir/page?old=1".parse().unwrap()
    }

    #[track_caller]
    fn check(location: &str, expected: &str) {
        assert_eq!(resolve(&from(), location.as_bytes()).unwrap().to_string(), expected, "{location:?}");
    }

    #[test]
    fn what_is_relative_stays_on_the_server() {
        let here = |path: &str| format!("http://a.test:8080{path}");
        for (location, path) in [
            ("/x", "/x"),
            ("z", "/dir/z"),
            ("../z", "/z"),
            ("../../../z", "/z"),
            ("./a:b", "/dir/a:b"),
            ("?x=1", "/dir/page?x=1"),
            ("#part", "/dir/page?old=1"),
            ("/x#part", "/x"),
            ("/a/../b/./c", "/b/c"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/a?x=/../y", "/a?x=/../y"),
            ("/a//b", "/a//b"),
            ("/a?b?c", "/a?b?c"),
            ("/x   ", "/x"),
        ] {
            check(location, &here(path));
        }
    }

    #[test]
    fn bytes_stay_as_they_are_where_a_request_can_hold_them() {
        let here = |path: &str| format!("http://a.test:8080{path}");
        for path in ["/%7e%2F%zz%", "/a/%2e%2e/b", "/a|b\"c<d>e`f{g}^h\\i'j", "/?a|b\"c<d>e`f{g}^h\\i'j[k]", "/a;b=c"] {
            check(path, &here(path));
        }
        check("/a b?c d", &here("/a%20b?c%20d"));
        check("/caf\u{e9}", &here("/caf%C3%A9"));
        let latin1 = resolve(&from(), b"/caf\xe9?q=\xff\x01\t.").unwrap().to_string();
        assert_eq!(latin1, here("/caf%E9?q=%FF%01%09."));
    }

    #[test]
    fn other_servers_are_named_in_many_ways() {
        check("//b.test/z", "http://b.test/z");
        check("HTTPS://b.test:99", "https://b.test:99/");
        check("http://b.test?x=1", "http://b.test/?x=1");
        check("http:/b.test/z", "http://b.test/z");
        check("http:///b.test/z", "http://b.test/z");
        check("http://b.test:/z", "http://b.test/z");
        check("http://b\u{fc}cher.test/z", "http://xn--bcher-kva.test/z");
        check("http://127.1/z", "http://127.0.0.1/z");
        check("http://[::1]:81/z", "http://[::1]:81/z");
        check("https://a_b.test/", "https://a_b.test/");
    }

    #[test]
    fn user_names_become_a_header_and_are_not_shown() {
        let with = |from: &WebUrl, location: &str| resolve(from, location.as_bytes()).unwrap();
        let url = with(&from(), "http://user:pa%20ss@b.test/z");
        assert_eq!(url.authorization(), Some("Basic dXNlcjpwYSBzcw=="));
        assert_eq!(url.to_string(), "http://b.test/z");
        assert_eq!(with(&url, "/next").authorization(), url.authorization(), "it is the same server");
        assert_eq!(with(&url, "http://b.test/next").authorization(), url.authorization());
        for other in ["http://c.test/", "https://b.test/", "http://b.test:81/", "//c.test"] {
            assert_eq!(with(&url, other).authorization(), None, "{other}");
        }
        assert_eq!(with(&from(), "http://user@b.test/").authorization(), Some("Basic dXNlcjo="));
        assert_eq!(with(&from(), "http://u:p@q@b.test/").host().as_str(), "b.test");
    }

    #[track_caller]
    fn check_refused(location: &str, message_part: &str) {
        let message = resolve(&from(), location.as_bytes()).unwrap_err().to_string();
        assert!(message.contains(message_part) && !message.contains("secret"), "{location:?}: {message}");
        assert!(message.len() < 600, "{message}");
    }

    #[test]
    fn what_is_no_page_is_told_in_words() {
        for location in
            ["ftp://b.test/", "file:///etc/passwd", "javascript:1", "mailto:x@y", "localhost:80/z", "icmp://b"]
        {
            check_refused(location, "only http:// and https:// are followed");
        }
        check_refused("http://u:secret@a b/", "no valid host");
        check_refused("http://", "no valid host");
        check_refused("http://b.test:0/", "no valid port");
        check_refused("http://u:secret@b.test:99999/", "no valid port");
        check_refused(&format!("/{}", "x".repeat(MAX_URL_BYTES)), "60001 bytes");
        assert!(resolve(&from(), format!("/{}", "x".repeat(MAX_URL_BYTES - 1)).as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_is_followed_can_be_asked_for(location in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(url) = resolve(&from(), &location) {
                let path = url.path_and_query();
                prop_assert!(path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(::http::uri::PathAndQuery::try_from(url.strict_path_and_query()).is_ok());
            }
        }
    }
}
