//! The kind of client: a program, or a browser for a page. A page can make a browser send any request, from the user's machine.

use ::http::HeaderMap;
use ::http::header::{HOST, ORIGIN, REFERER, USER_AGENT};
use ::http::uri::Authority;
use netqoe_model::names_this_machine;

const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// How every browser begins to say what it is; a page can't change that.
const BROWSER: &[u8] = b"Mozilla/";

/// Whether this machine is asked for as `localhost` or by an address. A site can point a name of its own here.
pub(super) fn asks_by_address(headers: &HeaderMap) -> bool {
    // Every browser sends the host.
    headers.get_all(HOST).iter().all(|host| {
        let authority = Authority::try_from(host.as_bytes());
        authority.is_ok_and(|authority| names_this_machine(authority.host()))
    })
}

/// Whether a page has made a browser send the request. A URL that a user has typed is the user's own request.
///
/// Current browsers say which site a page belongs to (`Sec-Fetch-Site`), and `none` if the address was typed. Older ones do not, nor do they for
/// untrustworthy origins: those are recognized by headers that no program sends by itself.
pub(super) fn is_a_page(headers: &HeaderMap) -> bool {
    if headers.contains_key(ORIGIN) || headers.contains_key(REFERER) {
        return true;
    }
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter().peekable();
    match sites.peek() {
        Some(_) => sites.any(|site| site != "none"),
        None => is_browser(headers),
    }
}

/// Whether the client is a browser.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    let says_so = |agent: &::http::HeaderValue| agent.as_bytes().starts_with(BROWSER);
    headers.contains_key(SEC_FETCH_SITE) || headers.get_all(USER_AGENT).iter().any(says_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| _ = map.append(*name, value.parse().unwrap()));
        map
    }

    #[test]
    fn a_page_is_known_by_whatever_its_browser_says() {
        let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/68.0");
        let typed = ("sec-fetch-site", "none");
        for (said, expected) in [
            (&[][..], false),
            (&[("user-agent", "Prometheus/2.42.0")], false),
            (&[browser, typed], false),
            (&[browser, ("sec-fetch-site", "cross-site")], true),
            (&[browser, ("sec-fetch-site", "same-site")], true),
            (&[browser, ("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "")], true),
            (&[typed, ("sec-fetch-site", "cross-site")], true),
            (&[browser], true),
            (&[("origin", "http://page.test")], true),
            (&[("origin", "null")], true),
            (&[typed, ("origin", "http://localhost:9115")], true),
            (&[("referer", "http://page.test/")], true),
        ] {
            assert_eq!(is_a_page(&headers(said)), expected, "{said:?}");
        }
    }

    #[test]
    fn every_name_of_this_machine_counts() {
        for (hosts, expected) in [
            (&[][..], true),
            (&["127.0.0.1:9115"], true),
            (&["[::1]:9115"], true),
            (&["localhost:9115"], true),
            (&["page.test:9115"], false),
            (&["127.0.0.1.page.test"], false),
            (&[""], false),
            (&["localhost:9115", "page.test"], false),
        ] {
            let hosts: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(asks_by_address(&headers(&hosts)), expected, "{hosts:?}");
        }
    }
}
