//! Targets with what is said of each, in all forms; and every way to say it wrong.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::{ListedTarget, parse_target_list};

const ALL: &str = r#"
# Of the shop.
[[target]]
url = "Shop.example.com"
name = "Shop"
interval = "1m"
timeout = "10s"
ipv4 = true
throughput_url = "/fixed/1mb.bin"
stay_on_host = true
expect_status = ["200-299", 401]
expect_text = "in stock"
expect_header = ["Content-Type: text/html", "X-Version"]
expect_certificate_days = 14
method = "POST"
header = "X-Key: a"
body = "{}"
user = "me"
password_file = "password"
client_certificate = "client.pem"
client_key = "client.key"
ca_file = "ca.pem"
proxy = "socks5://127.0.0.1:1080"

[target.labels]
team = "shop"

[[target]]
url = "icmp://192.0.2.1"
labels = { site = "Berlin" }
"#;

fn parse(name: &str, text: &str) -> Result<Vec<ListedTarget>, String> {
    parse_target_list(Path::new(name), text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn everything_can_be_said_of_a_target() {
    let listed = parse("targets.toml", ALL).unwrap();
    let [shop, gateway] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((shop.target.as_str(), shop.line), ("https://shop.example.com/", 3));
    assert_eq!(shop.interval, Some(Duration::from_secs(60)));
    assert_eq!((shop.labels.get("name"), shop.labels.get("team")), (Some("Shop"), Some("shop")));
    let words = TargetWords {
        timeout: Some(Duration::from_secs(10)),
        only: Some(Family::V4),
        throughput: Some(Some(ThroughputObject::OfTarget)),
        stay_on_host: Some(true),
        expectations: Expectations {
            status: vec!["200-299".parse().unwrap(), "401".parse().unwrap()],
            text: Some("in stock".parse().unwrap()),
            headers: vec!["content-type: text/html".parse().unwrap(), "x-version".parse().unwrap()],
            certificate_days: Some(14),
        },
        method: Some(Method::POST),
        headers: vec!["x-key: a".parse().unwrap()],
        body: Some("{}".to_owned()),
        user: Some("me".to_owned()),
        password_file: Some("password".into()),
        bearer_token_file: None,
        client_certificate: Some("client.pem".into()),
        client_key: Some("client.key".into()),
        ca_file: Some("ca.pem".into()),
        insecure: false,
        proxy: Some("socks5://127.0.0.1:1080".parse().unwrap()),
    };
    assert_eq!(shop.words, words);
    assert_eq!((gateway.target.as_str(), &gateway.words), ("icmp://192.0.2.1", &TargetWords::default()));
    assert_eq!((gateway.labels.get("site"), gateway.line), (Some("Berlin"), 28));
}

#[test]
fn json_and_yaml_say_it_in_the_same_words() {
    let json = r#"[
 {"url": "a.test", "expect_status": 204, "labels": {"site": "x"}},
 {"url": "icmp://b.test", "interval": "5s"}]"#;
    let yaml = "- url: a.test\n  expect_status: 204\n  labels: {site: x}\n- url: icmp://b.test\n  interval: 5s\n";
    let toml = "[[target]]\nurl = 'a.test'\nexpect_status = 204\nlabels = {site = 'x'}\n[[target]]\nurl = 'icmp://b.test'\ninterval = '5s'\n";
    let without_lines = |name: &str, text: &str| {
        let listed = parse(name, text).unwrap();
        listed.into_iter().map(|target| ListedTarget { line: 0, ..target }).collect::<Vec<_>>()
    };
    let expected = without_lines("x.toml", toml);
    assert_eq!((expected.len(), without_lines("x.json", json)), (2, expected.clone()));
    assert_eq!(without_lines("x.yml", yaml), expected);
    assert_eq!(without_lines("x.yml", json), expected);
    assert_eq!(parse("x.toml", ""), Ok(Vec::new()));
}

#[test]
fn labels_of_service_discovery_are_those_of_its_targets() {
    let json = r#"[{"targets": ["a.test", "b.test"], "labels": {"site": "x", "__meta_dc": "1", "empty": ""}}, {"targets": ["c.test"]}]"#;
    for name in ["x.json", "x.yml"] {
        let listed = parse(name, json).unwrap();
        let sites: Vec<_> = listed.iter().map(|target| target.labels.get("site")).collect();
        assert_eq!(sites, [Some("x"), Some("x"), None]);
        assert_eq!((listed[0].labels.get("__meta_dc"), listed[0].labels.get("empty")), (None, None));
    }
    let wrong = "- targets: [a.test]\n- labels: {a-b: x}\n  targets: [a.test]\n";
    assert!(parse("x.yml", wrong).unwrap_err().starts_with("line 2: labels: \"a-b\" can't be the name of a label"));
}

/// A target with one more line, which is the third.
#[track_caller]
fn check_refused(written: &str, says: &str) {
    let error = parse("x.toml", &format!("[[target]]\nurl = 'https://a.test/'\n{written}\n")).unwrap_err();
    assert!(error.starts_with("line 3: ") && error.contains(says), "{written}: {error}");
    assert!(!error.contains(char::is_control), "{error:?}");
}

#[test]
fn what_is_wrong_is_said_with_line_target_and_key() {
    for (written, says) in [
        ("expect_state = 200", "target https://a.test/: unknown key: \"expect_state\"; did you mean expect_status?"),
        ("colour = 'red'", "unknown key: \"colour\"; docs/probe.md"),
        ("expect_status = '2xx'", "target https://a.test/: expect_status: \"2xx\" is no status"),
        ("expect_status = [200, true]", "expect_status: it must be a number, text"),
        ("expect_text = ''", "expect_text: a text to look for has 1 to 1024 bytes"),
        ("expect_text = 7", "expect_text: it must be text in quotes"),
        ("expect_header = 'a b'", "expect_header: \"a b\" is no header"),
        ("expect_certificate_days = -1", "expect_certificate_days: it must be a number of days"),
        ("name = 7", "name: it must be text in quotes"),
        ("interval = 30", "interval: it must be a time with its unit in quotes"),
        ("interval = '1ms'", "interval: it must be from 100ms to 1day"),
        ("timeout = '2h'", "timeout: it must be from 1ms to 1h"),
        ("labels = 'x'", "labels: it must be a table"),
        ("labels = {a = 1}", "labels: the value of label \"a\" must be text"),
        ("labels = {9a = 'x'}", "labels: \"9a\" can't be the name of a label"),
        ("ipv4 = 1", "ipv4: it must be true or false"),
        ("throughput_url = 'tcp://a.test:1'", "throughput_url: \"tcp://a.test:1\" is not a page"),
        ("method = 'get'", "method: \"get\" is no method"),
        ("header = 'Host: x'", "header: header host says how the request is sent"),
        ("header = ['X: 1', 'planted secret']", "header: a header is written as NAME: VALUE"),
        ("body = 'x'", "body: it needs a method that sends one"),
        ("user = 'x'", "user: it needs password_file beside it"),
        ("password_file = 'x'", "password_file: it needs user beside it"),
        ("client_key = 'x'", "client_key: it needs client_certificate beside it"),
        ("client_certificate = 'x'", "client_certificate: it needs client_key beside it"),
        ("proxy = 'https://p.test:1'", "proxy: a proxy is written as http://HOST:PORT or socks5://HOST:PORT"),
        ("insecure = 'yes'", "insecure: it must be true or false"),
        ("stay_on_host = 0", "stay_on_host: it must be true or false"),
    ] {
        check_refused(written, says);
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused =
        |url: &str, written: &str| parse("x.toml", &format!("[[target]]\nurl = '{url}'\n{written}\n")).unwrap_err();
    for (url, written, says) in [
        ("https://a.test", "ipv4 = true\nipv6 = true", "line 4: target https://a.test/: ipv6: a target has either"),
        (
            "https://a.test",
            "name = 'a'\nlabels = {name = 'b'}",
            "line 1: target https://a.test/: labels: label name is given twice",
        ),
        (
            "https://a.test",
            "user = 'a'\npassword_file = 'b'\nbearer_token_file = 'c'",
            "line 5: target https://a.test/: bearer_token_file: a request has either",
        ),
        (
            "https://a.test",
            "bearer_token_file = 'c'\nheader = 'Authorization: x'",
            "line 4: target https://a.test/: header: Authorization stands there already",
        ),
        ("https://a.test", "ca_file = 'a'\ninsecure = true", "line 3: target https://a.test/: ca_file: with insecure"),
        (
            "https://a.test",
            "method = 'HEAD'\nexpect_text = 'a'",
            "line 4: target https://a.test/: expect_text: an answer to HEAD",
        ),
        (
            "http://a.test",
            "expect_certificate_days = 3",
            "line 3: target http://a.test/: expect_certificate_days: it is about https://",
        ),
        ("tcp://a.test:1", "expect_status = 200", "line 3: target tcp://a.test:1: expect_status: it is about pages"),
        ("icmp://a.test", "insecure = true", "line 3: target icmp://a.test: insecure: it is about pages"),
        ("dns://a.test/b", "proxy = 'http://p.test:1'", "line 3: target dns://a.test/b: proxy: it is about pages"),
        ("ftp://a.test", "name = 'a'", "line 2: url: target \"ftp://a.test\" must begin with"),
    ] {
        let error = refused(url, written);
        assert!(error.starts_with(says), "{says}: {error}");
    }
    for (name, text, says) in [
        ("x.toml", "[[target]]\nname = 'a'\n", "line 1: a target has no url"),
        ("x.toml", "[[target]]\nurl = 7\n", "line 2: url: it must be text"),
        ("x.toml", "[[targets]]\nurl = 'a.test'\n", "line 1: not a list of [[target]] tables in TOML: unknown field"),
        ("x.toml", "[[target]]\nurl = \n", "line 2: not a list of [[target]] tables in TOML"),
        (
            "x.json",
            "[{\"url\": \"a.test\"},\n{\"url\": \"b.test\",\n\"expect_text\": 1}]",
            "line 3: target https://b.test/: expect_text",
        ),
        ("x.yml", "- url: a.test\n- url: b.test\n  expect_text: 1\n", "line 3: target https://b.test/: expect_text"),
        ("x.json", "[{\"url\": \"a.test\"},\n{\"targets\": [\"b.test\"]}]", "line 2: a target has no url"),
    ] {
        let error = parse(name, text).unwrap_err();
        assert!(error.starts_with(says), "{says}: {error}");
    }
}

#[track_caller]
fn check_file(written: &str, says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    file("empty", b"\n");
    file("binary", b"\xff");
    file("lines", b"planted\nsecret");
    file("long", &[b'x'; 20_000]);
    file("password", b"planted\r\n");
    let text = format!("[[target]]\nurl = 'https://a.test/'\n{written}\n");
    let listed = parse("x.toml", &text).unwrap();
    let error = listed[0].plan(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("line 1: target https://a.test/: ") && error.contains(says), "{written}: {error}");
    assert!(!error.contains(char::is_control) && !error.contains("planted"), "{error:?}");
}

#[test]
fn files_that_cant_be_used_are_named_and_not_repeated() {
    for (written, says) in [
        ("user = 'a'\npassword_file = 'nowhere'", "password_file: can't read "),
        ("user = 'a'\npassword_file = 'empty'", "/empty is empty"),
        ("user = 'a'\npassword_file = 'binary'", "/binary is not UTF-8 text"),
        ("user = 'a'\npassword_file = 'long'", "/long is longer than 16384 bytes"),
        ("user = 'a:b'\npassword_file = 'password'", "user: a user name has no colon"),
        ("bearer_token_file = 'lines'", "/lines: the token must be one line of printable ASCII"),
        ("ca_file = 'nowhere'", "ca_file: "),
        ("ca_file = 'lines'", "/lines: it holds no certificate"),
        ("client_certificate = 'lines'\nclient_key = 'lines'", "client_certificate: "),
    ] {
        check_file(written, says);
    }
}

#[test]
fn another_secret_is_another_setting_and_none_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let words = TargetWords { bearer_token_file: Some("token".into()), ..TargetWords::default() };
    let read = |token: &str| {
        std::fs::write(folder.path().join("token"), token).unwrap();
        words.read(folder.path()).unwrap()
    };
    let (first, same, other) = (read("planted-1"), read("planted-1\n"), read("planted-2"));
    assert_eq!(first, same);
    assert_ne!(first, other);
    assert!(!format!("{first:?}").contains("planted"), "{first:?}");
    assert!(OwnSettings::default().is_empty() && !first.is_empty());
}
