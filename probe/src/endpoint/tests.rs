use super::*;

#[track_caller]
fn check_web(url: &str, is_https: bool, host: &str, port: u16, path_and_query: &str) {
    let target: Target = url.parse().unwrap();
    assert_eq!(target.as_str(), netqoe_model::normalised(url));
    let Check::Web(web) = target.check() else { panic!("{url}: {target:?}") };
    assert_eq!(web.is_https(), is_https, "{url}");
    assert_eq!(web.host().as_str(), host, "{url}");
    assert_eq!(web.port(), port, "{url}");
    assert_eq!(web.path_and_query().to_string(), path_and_query, "{url}");
}

#[test]
fn parses_pages() {
    check_web("http://example.com", false, "example.com", 80, "/");
    check_web("https://example.com/", true, "example.com", 443, "/");
    check_web("https://example.com:8443/a/b?c=d&e", true, "example.com", 8443, "/a/b?c=d&e");
    check_web("http://example.com?q=1#part", false, "example.com", 80, "/?q=1");
    check_web("HTTP://Example.COM/X", false, "example.com", 80, "/X");
    check_web("http://127.0.0.1:8081/health", false, "127.0.0.1", 8081, "/health");
    check_web("https://[2001:db8::1]:8443", true, "2001:db8::1", 8443, "/");
    check_web("https://[::1]/x", true, "::1", 443, "/x");
    check_web("http://my_host.internal.", false, "my_host.internal.", 80, "/");
}

#[test]
fn without_a_scheme_it_is_https() {
    for (written, url) in [
        ("example.com", "https://example.com/"),
        ("Example.com:443/a?b=http://c", "https://example.com/a?b=http://c"),
        ("::1", "https://[::1]/"),
    ] {
        assert_eq!(written.parse::<Target>().unwrap().as_str(), url);
    }
}

#[test]
fn paths_beyond_ascii_are_percent_encoded() {
    check_web(
        "http://example.com/b\u{fc}cher/%7e?q=\u{20ac}",
        false,
        "example.com",
        80,
        "/b%C3%BCcher/%7e?q=%E2%82%AC",
    );
}

#[test]
fn parses_the_other_checks() {
    let check = |url: &str| url.parse::<Target>().unwrap().check().clone();
    let host = |host: &str| Host::parse(host).unwrap();
    assert_eq!(check("tcp://example.com:22"), Check::Tcp { host: host("example.com"), port: 22 });
    assert_eq!(check("icmp://[::1]"), Check::Icmp { host: host("[::1]") });
    assert_eq!(check("icmp://example.com/"), Check::Icmp { host: host("example.com") });
    let name = |escaped: &str| DnsName::from_escaped(escaped.as_bytes()).unwrap();
    let question = |port| Check::Dns { server: host("192.0.2.53"), port, name: name("www.example.com") };
    assert_eq!(check("dns://192.0.2.53/www.example.com"), question(53));
    assert_eq!(check("dns://192.0.2.53:5353/www.example.com"), question(5353));
    let asks_for =
        |url: &str| if let Check::Dns { name, .. } = check(url) { name.to_string() } else { panic!("{url}") };
    assert_eq!(asks_for("dns://192.0.2.53/a_b._tcp.test"), "a_b._tcp.test");
    assert_eq!(asks_for("dns://192.0.2.53/My%20printer._ipp.test"), r"My\032printer._ipp.test");
    assert_eq!(asks_for("dns://192.0.2.53/a%5c.b.test"), r"a\.b.test");
    assert_eq!(asks_for("dns://192.0.2.53/7.test."), "7.test");
}

#[test]
fn a_final_dot_is_for_dns_and_not_for_certificates() {
    let host = Host::parse("example.com.").unwrap();
    assert_eq!(host.as_str(), "example.com.");
    assert_eq!(host.server_name().unwrap().to_str(), "example.com");
}

/// Any label may be looked up; only a certificate can't name it.
#[test]
fn hosts_need_not_be_called_as_hosts_should_be() {
    for host in ["my_app.test", "a_b", "_x.test", "x_.test", "-x.test", "x-.test", "xn--a.test", "a$b.test", "7.test"] {
        let web: WebUrl = format!("http://{host}/").parse().unwrap();
        assert_eq!(web.host().as_str(), host);
    }
    let longest = format!("http://{}.test/", "a".repeat(63));
    assert!(longest.parse::<Target>().is_ok());
    let message = Host::parse("-x.test").unwrap().server_name().unwrap_err().to_string();
    assert!(message.contains("-x.test"), "{message}");
    assert!(Host::parse("my_app.test").unwrap().server_name().is_ok());
}

#[test]
fn a_zone_is_for_this_machine_and_not_for_the_server() {
    for url in ["http://[fe80::1%25eth0]:8081/a", "http://[fe80::1%eth0]:8081/a"] {
        let web: WebUrl = url.parse().unwrap();
        assert_eq!((web.host().as_str(), web.host().ip()), ("fe80::1%eth0", Some("fe80::1".parse().unwrap())));
        assert_eq!(web.authority(), "[fe80::1]:8081");
        let next = web.follow(b"/b").unwrap();
        assert_eq!((next.to_string().as_str(), next.host()), ("http://[fe80::1]:8081/b", web.host()));
    }
    check_refused("http://[fe80::1%]/", "no valid host");
    check_refused("http://[192.0.2.1%25eth0]/", "no valid host");
}

#[test]
fn an_address_needs_no_lookup() {
    let ip = |host: &str| Host::parse(host).unwrap().ip();
    assert_eq!(ip("192.0.2.7"), Some("192.0.2.7".parse().unwrap()));
    assert_eq!(ip("[2001:db8::1]"), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(ip("example.com"), None);
}

#[test]
fn another_path_on_the_same_server() {
    let web: WebUrl = "https://Example.com:8443/a?b#c".parse().unwrap();
    assert_eq!(web.to_string(), "https://Example.com:8443/a?b");
    assert_eq!(web.with_path("/x").to_string(), "https://Example.com:8443/x");
}

#[track_caller]
fn check_refused(url: &str, message_part: &str) {
    let error = url.parse::<Target>().unwrap_err().to_string();
    assert!(error.contains(message_part), "{url:?}: {error}");
    assert!(!error.contains('\n'), "{url:?}: {error}");
}

#[test]
fn refuses_what_can_not_be_measured() {
    check_refused("", "not a URL");
    check_refused("/path", "not a URL");
    check_refused("ftp://example.com", "must begin with http://");
    check_refused("http://", "not a URL");
    check_refused("http:///path", "not a URL");
    check_refused("http://ex ample.com", "not a URL");
    check_refused("http://example.com/a\nb", "not a URL");
    check_refused("http://b\u{fc}cher.example", "xn--");
    check_refused("http://:80/", "no valid host");
    check_refused(&format!("http://{}.example", "a".repeat(64)), "no valid host");
    check_refused("http://256.256.256.256", "no valid host");
    check_refused("http://[192.0.2.1]/", "no valid host");
    check_refused("http://a..b/", "no valid host");
    check_refused("http://example.com:0", "no valid port");
    check_refused("http://example.com:", "no valid port");
    check_refused("http://example.com:65536", "no valid port");
    check_refused("http://user:secret@example.com", "leave out");
    check_refused("tcp://example.com", "must read tcp://host:port");
    check_refused("tcp://example.com:80/path", "must read tcp://host:port");
    check_refused("icmp://example.com:80", "must read icmp://host");
    check_refused("dns://192.0.2.53", "must read dns://server/name");
    check_refused("dns://192.0.2.53/192.0.2.1", "must read dns://server/name");
    check_refused("dns://192.0.2.53/a/b", "must read dns://server/name");
}

#[test]
fn a_page_is_nothing_else() {
    let error = "tcp://example.com:80".parse::<WebUrl>().unwrap_err().to_string();
    assert!(error.contains("is not a page"), "{error}");
}

#[test]
fn never_repeats_a_password() {
    let error = "http://user:secret@example.com".parse::<Target>().unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn takes_the_longest_target_that_an_event_can_carry() {
    let url = |bytes: usize| format!("http://example.com/{}", "x".repeat(bytes - 19));
    assert_eq!(url(MAX_TARGET_BYTES).parse::<Target>().unwrap().as_str().len(), MAX_TARGET_BYTES);
    check_refused(&url(MAX_TARGET_BYTES + 1), "1025 bytes");
}
