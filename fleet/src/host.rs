//! The host that a target is at.

use url::Url;

/// The host of a target, in lower case; `None` where the target names none. A target is any text, and not always a URL.
pub(crate) fn host_of(target: &str) -> Option<String> {
    let url = Url::parse(target).ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_what_the_url_says() {
        for (target, host) in [
            ("https://Example.com/path?q=1#f", "example.com"),
            ("https://user:secret@example.com:8443/", "example.com"),
            ("tcp://Example.com:443", "example.com"),
            ("icmp://192.0.2.1", "192.0.2.1"),
            ("tcp://[2001:db8::1]:443", "[2001:db8::1]"),
            ("dns://resolver.example/name.test", "resolver.example"),
            ("https://example.com./", "example.com"),
        ] {
            assert_eq!(host_of(target).as_deref(), Some(host), "{target}");
        }
    }

    #[test]
    fn a_text_that_is_no_url_has_no_host() {
        for target in ["", "api", "example.com", "example.com:443", "https://", "\u{0}://\u{0}", "://x", "mailto:a@b"] {
            assert_eq!(host_of(target), None, "{target}");
        }
        assert_eq!(host_of(&"x".repeat(1024)), None);
    }
}
