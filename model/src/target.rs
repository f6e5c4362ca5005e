//! The one spelling of a target, so that one page is one pair for each client, however its URL was written.

use std::borrow::Cow;

use crate::MAX_TARGET_BYTES;

/// What is known of a scheme that targets have.
struct Scheme {
    name: &'static str,
    default_port: Option<u16>,
    /// What stands behind the host if nothing else does.
    empty_path: &'static str,
}

const SCHEMES: [Scheme; 5] = [
    Scheme { name: "https", default_port: Some(443), empty_path: "/" },
    Scheme { name: "http", default_port: Some(80), empty_path: "/" },
    Scheme { name: "tcp", default_port: None, empty_path: "" },
    Scheme { name: "icmp", default_port: None, empty_path: "" },
    Scheme { name: "dns", default_port: Some(53), empty_path: "" },
];

/// A target in its normal spelling: scheme and host in lower case, no default port, and `/` as the path of a page that has none.
///
/// `HTTPS://API.example.com:443` is `https://api.example.com/`. Path, query and fragment are left as they are: servers may tell their
/// letters apart. What is no URL of a scheme that the probe measures is a name of somebody's own, and stays what it is.
///
/// A target of at most [`MAX_TARGET_BYTES`] stays within them.
pub fn normalised(target: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = split_scheme(target) else { return Cow::Borrowed(target) };
    let (authority, written_path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host_and_port) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let (host, port) = split_port(host_and_port);
    if host.is_empty() {
        return Cow::Borrowed(target);
    }
    let (port, dropped_bytes) = if is_default(port, scheme) { ("", port.len()) } else { (port, 0) };
    let path = path(scheme, written_path, target.len() - dropped_bytes);
    // Most targets are normal, and ingest asks about each event's.
    let is_normal = target.starts_with(scheme.name)
        && (port.len(), path.len()) == (host_and_port.len() - host.len(), written_path.len())
        && !without_zone(host).bytes().any(|byte| byte.is_ascii_uppercase());
    if is_normal {
        return Cow::Borrowed(target);
    }
    let mut normal = String::with_capacity(target.len() + 1);
    for part in [scheme.name, "://", user, host, port, &path] {
        normal.push_str(part);
    }
    let host_at = scheme.name.len() + "://".len() + user.len();
    if let Some(host) = normal.get_mut(host_at..host_at + without_zone(host).len()) {
        host.make_ascii_lowercase();
    }
    Cow::Owned(normal)
}

fn split_scheme(target: &str) -> Option<(&'static Scheme, &str)> {
    let (name, rest) = target.split_once("://")?;
    Some((SCHEMES.iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name))?, rest))
}

/// The host, and the port with its colon. The colons within the brackets of an IPv6 address divide nothing.
fn split_port(authority: &str) -> (&str, &str) {
    let brackets_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let colon = authority[brackets_end..].find(':').map_or(authority.len(), |colon| brackets_end + colon);
    authority.split_at(colon)
}

/// A zone (`[fe80::1%25eth0]`) is the name of an interface, whose letters count.
fn without_zone(host: &str) -> &str {
    match host.split_once('%') {
        Some((address, _)) if host.starts_with('[') => address,
        _ => host,
    }
}

fn is_default(port: &str, scheme: &Scheme) -> bool {
    let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.is_some_and(|digits| digits.parse().ok() == scheme.default_port)
}

/// Path, query and fragment, of a target that has so many bytes with them as they are written.
fn path<'a>(scheme: &Scheme, written: &'a str, target_bytes: usize) -> Cow<'a, str> {
    match written {
        "" | "/" if target_bytes < MAX_TARGET_BYTES || written == "/" => Cow::Borrowed(scheme.empty_path),
        // Without a path, a query begins at once.
        _ if written.starts_with(['?', '#']) && scheme.empty_path == "/" && target_bytes < MAX_TARGET_BYTES => {
            Cow::Owned(format!("/{written}"))
        }
        _ => Cow::Borrowed(written),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(target: &str, expected: &str) {
        assert_eq!(normalised(target), expected);
    }

    #[test]
    fn one_page_has_one_spelling() {
        for written in [
            "https://api.example.com/",
            "https://api.example.com",
            "HTTPS://API.example.com/",
            "https://api.example.com:443/",
            "https://Api.Example.com:443",
            "https://api.example.com:0443/",
        ] {
            check(written, "https://api.example.com/");
        }
        check("http://A.test:80", "http://a.test/");
        check("http://a.test:443", "http://a.test:443/");
        check("http://a.test?Q=1", "http://a.test/?Q=1");
        check("http://a.test#Part", "http://a.test/#Part");
    }

    #[test]
    fn paths_keep_their_letters() {
        check("https://A.test/Path/?Query=A:443#Part", "https://a.test/Path/?Query=A:443#Part");
        check("https://a.test//", "https://a.test//");
    }

    #[test]
    fn other_schemes_have_no_path() {
        check("TCP://Host.test:22/", "tcp://host.test:22");
        check("tcp://host.test:443", "tcp://host.test:443");
        check("icmp://HOST.test/", "icmp://host.test");
        check("dns://NS.test:53/Www.Example.com", "dns://ns.test/Www.Example.com");
        check("dns://ns.test:5353/a.test", "dns://ns.test:5353/a.test");
    }

    #[test]
    fn addresses_of_ipv6_keep_their_colons_and_zones() {
        check("http://[2001:DB8::1]:80", "http://[2001:db8::1]/");
        check("http://[FE80::1%25Eth0]:8080/", "http://[fe80::1%25Eth0]:8080/");
        check("icmp://[::1]", "icmp://[::1]");
    }

    #[test]
    fn what_is_no_url_of_ours_is_a_name() {
        for name in
            ["", "t", "T-001", "API.example.com:443", "FTP://Host/", "://A", "https://", "https:///X", "https://:443"]
        {
            check(name, name);
        }
    }

    #[test]
    fn a_normal_target_is_not_copied() {
        for target in
            ["https://a.test/", "tcp://a.test:22", "https://a.test:8443/x?y", "http://[fe80::1%25Eth0]/", "t-1"]
        {
            assert!(matches!(normalised(target), Cow::Borrowed(_)), "{target}");
        }
    }

    #[test]
    fn the_longest_target_does_not_grow() {
        for after in ["", "?q", "#f"] {
            let host = "a".repeat(MAX_TARGET_BYTES - "https://".len() - after.len());
            let target = format!("https://{host}{after}");
            check(&target, &target);
        }
        let host = "a".repeat(MAX_TARGET_BYTES - "https://:443".len());
        check(&format!("https://{host}:443"), &format!("https://{host}/"));
    }

    /// URLs, also odd ones.
    fn urls() -> impl Strategy<Value = String> {
        "(https?|HTTP|tcp|icmp|dns|Ftp)://([a-zA-Z]{1,3}@){0,2}([a-zA-Z.%]{0,4}|\\[[0-9a-fA-F:%]{0,6}\\]?)(:[0-9]{0,4}|:443|:80){0,2}[/?#]{0,2}[a-zA-Z:@/]{0,4}"
    }

    proptest! {
        #[test]
        fn what_is_normal_stays_as_it_is(target in prop_oneof![urls().boxed(), "\\PC{0,20}".boxed()]) {
            let once = normalised(&target).into_owned();
            prop_assert_eq!(normalised(&once), once.as_str());
        }

        #[test]
        fn only_a_slash_can_be_added(target in urls()) {
            prop_assert!(normalised(&target).len() <= target.len() + 1);
        }

        #[test]
        fn the_case_of_a_host_does_not_matter(host in "[a-zA-Z]{1,8}(\\.[a-zA-Z]{1,3})?", path in "(/[a-zA-Z]{0,4})?") {
            let (upper, lower) = (host.to_ascii_uppercase(), host.to_ascii_lowercase());
            let [upper, lower] = [upper, lower].map(|host| format!("https://{host}{path}"));
            prop_assert_eq!(normalised(&upper), normalised(&lower));
        }
    }
}
