//! Cookies of one measurement, kept along its redirects (RFC 6265) and forgotten with it.

use std::time::{SystemTime, UNIX_EPOCH};

use cookie::Cookie;

use crate::WebUrl;

/// Cookies that are kept: as many as curl sends in one request.
const MAX_COOKIES: usize = 150;
/// Longest name and value together; browsers and curl keep no longer ones.
const MAX_COOKIE_BYTES: usize = 4096;
/// Longest `Cookie` header that is sent, as with curl; servers refuse much longer ones.
const MAX_HEADER_BYTES: usize = 8190;

/// The cookies that servers have set so far.
#[derive(Debug, Default)]
pub(crate) struct CookieJar {
    kept: Vec<Kept>,
    /// Cookies that were not kept: too many or too long.
    pub(crate) dropped: u64,
}

#[derive(Debug)]
struct Kept {
    name: String,
    value: String,
    /// In lower case.
    domain: String,
    /// Whether other hosts get it whose name ends in `.domain`.
    has_subdomains: bool,
    path: String,
    is_secure: bool,
}

impl CookieJar {
    /// Takes the value of a `Set-Cookie` that came with the answer for `url`. What can't be read, or is not for this
    /// server to set, is passed over.
    pub(crate) fn take(&mut self, url: &WebUrl, set_cookie: &[u8]) {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.take_at(url, set_cookie, i64::try_from(now_s).unwrap_or(i64::MAX));
    }

    fn take_at(&mut self, url: &WebUrl, set_cookie: &[u8], now_s: i64) {
        let Some(cookie) = std::str::from_utf8(set_cookie).ok().and_then(|text| Cookie::parse(text).ok()) else {
            return;
        };
        let has_control = |text: &str| text.bytes().any(|byte| byte.is_ascii_control());
        if has_control(cookie.name()) || has_control(cookie.value()) || cookie.name().is_empty() {
            return;
        }
        let Some((domain, has_subdomains)) = domain_of(url, cookie.domain()) else { return };
        let is_secure = cookie.secure().unwrap_or(false);
        if is_secure && !url.is_https() {
            return;
        }
        let path = cookie.path().filter(|path| path.starts_with('/')).map_or_else(|| default_path(url), str::to_owned);
        self.kept.retain(|kept| !(kept.name == cookie.name() && kept.domain == domain && kept.path == path));
        let is_over = match (cookie.max_age(), cookie.expires_datetime()) {
            (Some(age), _) => age.whole_seconds() <= 0,
            (None, Some(expires)) => expires.unix_timestamp() <= now_s,
            (None, None) => false,
        };
        if is_over {
            return;
        }
        if cookie.name().len() + cookie.value().len() > MAX_COOKIE_BYTES || self.kept.len() >= MAX_COOKIES {
            self.dropped += 1;
            return;
        }
        let (name, value) = (cookie.name().to_owned(), cookie.value().to_owned());
        self.kept.push(Kept { name, value, domain, has_subdomains, path, is_secure });
    }

    /// The `Cookie` header of a request for `url`, if there is one: the longest path first.
    pub(crate) fn header(&self, url: &WebUrl) -> Option<String> {
        let (host, path) = (host_of(url), path_of(url));
        let is_for = |kept: &&Kept| {
            let is_host = host == kept.domain
                || kept.has_subdomains && host.strip_suffix(&kept.domain).is_some_and(|rest| rest.ends_with('.'));
            is_host && path_matches(path, &kept.path) && (url.is_https() || !kept.is_secure)
        };
        let mut kept: Vec<_> = self.kept.iter().filter(is_for).collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let mut header = String::new();
        for Kept { name, value, .. } in kept {
            if header.len() + name.len() + value.len() + 3 > MAX_HEADER_BYTES {
                break;
            }
            let separator = if header.is_empty() { "" } else { "; " };
            header.extend([separator, name, "=", value]);
        }
        (!header.is_empty()).then_some(header)
    }
}

fn host_of(url: &WebUrl) -> String {
    url.host().as_str().trim_end_matches('.').to_ascii_lowercase()
}

fn path_of(url: &WebUrl) -> &str {
    let path = url.path_and_query();
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Which hosts get a cookie: its host alone, or the domain that it names, if the host is in it. A domain of one label is a
/// top-level domain, which is everybody's.
fn domain_of(url: &WebUrl, named: Option<&str>) -> Option<(String, bool)> {
    let host = host_of(url);
    let Some(domain) = named.map(|named| named.trim_start_matches('.').to_ascii_lowercase()) else {
        return Some((host, false));
    };
    if domain.is_empty() || domain == host {
        return Some((host, !domain.is_empty() && url.host().ip().is_none()));
    }
    let is_within = host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
    (is_within && domain.contains('.') && url.host().ip().is_none()).then_some((domain, true))
}

/// The folder of the page (RFC 6265, section 5.1.4).
fn default_path(url: &WebUrl) -> String {
    let path = path_of(url);
    match path.rfind('/') {
        Some(end) if end > 0 => path[..end].to_owned(),
        _ => "/".to_owned(),
    }
}

fn path_matches(path: &str, of_cookie: &str) -> bool {
    path.strip_prefix(of_cookie)
        .is_some_and(|rest| rest.is_empty() || of_cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    #[track_caller]
    fn check(from: &str, set: &[&str], to: &str, expected: Option<&str>) {
        let mut jar = CookieJar::default();
        for set in set {
            jar.take_at(&from.parse().unwrap(), set.as_bytes(), NOW_S);
        }
        assert_eq!(jar.header(&to.parse().unwrap()).as_deref(), expected, "{from} {set:?} {to}");
    }

    #[test]
    fn a_cookie_goes_to_its_host_alone_unless_it_names_a_domain() {
        let (www, other) = ("http://www.example.com/", "http://example.com/");
        check(www, &["a=1"], "http://WWW.example.com/x", Some("a=1"));
        check(www, &["a=1"], other, None);
        check(www, &["a=1"], "http://a.www.example.com/", None);
        check(www, &["a=1; Domain=.example.com"], other, Some("a=1"));
        check(www, &["a=1; Domain=example.com"], "http://b.example.com/", Some("a=1"));
        check(www, &["a=1; Domain=example.com"], "http://badexample.com/", None);
        check(www, &["a=1; Domain=example.net"], www, None);
        check(www, &["a=1; Domain=com"], www, None);
        check("http://127.0.0.1/", &["a=1; Domain=0.0.1"], "http://127.0.0.1/", None);
        check("http://127.0.0.1/", &["a=1; Domain=127.0.0.1"], "http://127.0.0.1:81/", Some("a=1"));
    }

    #[test]
    fn paths_and_secure_are_kept() {
        let page = "https://a.test/x/y";
        check(page, &["a=1"], "https://a.test/x/z", Some("a=1"));
        check(page, &["a=1"], "https://a.test/xz", None);
        check(page, &["a=1; Path=/"], "https://a.test/?q", Some("a=1"));
        check(page, &["a=1; Path=/", "b=2; path=/x"], "https://a.test/x?q", Some("b=2; a=1"));
        check(page, &["a=1; Path=/; Secure"], "http://a.test/", None);
        check("http://a.test/", &["a=1; Secure"], "https://a.test/", None);
    }

    #[test]
    fn the_last_value_counts_and_an_expired_one_deletes() {
        let page = "http://a.test/";
        check(page, &["a=1", "a=2; HttpOnly"], page, Some("a=2"));
        check(page, &["a=1", "a=; Max-Age=0"], page, None);
        check(page, &["a=1", "a=; Max-Age=-1"], page, None);
        check(page, &["a=1", "a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], page, None);
        check(page, &["a=1", "a=x; expires=Thu, 01-Jan-1970 00:00:00 GMT"], page, None);
        check(page, &["a=1; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], page, Some("a=1"));
        check(page, &["nonsense", "=x", "a=b\u{1}c", "b=\"q\"; path=/"], page, Some("b=\"q\""));
    }

    #[test]
    fn what_is_kept_and_sent_is_bounded() {
        let page: WebUrl = "http://a.test/".parse().unwrap();
        let mut jar = CookieJar::default();
        jar.take(&page, format!("a={}", "x".repeat(MAX_COOKIE_BYTES)).as_bytes());
        assert_eq!((jar.kept.len(), jar.dropped), (0, 1));
        for number in 0..=MAX_COOKIES {
            jar.take(&page, format!("c{number}={}", "x".repeat(1000)).as_bytes());
        }
        assert_eq!((jar.kept.len(), jar.dropped), (MAX_COOKIES, 2));
        assert!(jar.header(&page).unwrap().len() <= MAX_HEADER_BYTES);
    }

    proptest! {
        #[test]
        fn no_header_can_be_forged(set in proptest::collection::vec(any::<u8>(), 0..80)) {
            let page: WebUrl = "http://a.test/".parse().unwrap();
            let mut jar = CookieJar::default();
            jar.take(&page, &set);
            let header = jar.header(&page).unwrap_or_default();
            prop_assert!(header.bytes().all(|byte| !byte.is_ascii_control()));
        }
    }
}
