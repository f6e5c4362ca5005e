//! Redirects are followed; what is measured is the page at the end of the way.

use std::time::Duration;

use netqoe_model::{ErrorStage, EventTime};
use netqoe_probe::Settings;

use crate::loopback::{measure_url, plain_settings, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, OK, Step, WebServer, answers, path, redirect};

fn by_path(answers: Vec<(&'static str, String)>) -> Vec<Step> {
    vec![Step::ReadRequest, Step::AnswerByPath(answers)]
}

#[tokio::test]
async fn the_phases_are_those_of_the_last_page() {
    const ON_THE_WAY: Duration = Duration::from_millis(80);
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let page = WebServer::start_tls(authority.certify("web.test"), answers(OK)).await;
    let there = page.url("https", "web.test", "/there");
    let first = vec![Step::ReadRequest, Step::Wait(ON_THE_WAY), Step::send(&redirect(&there))];
    let first = WebServer::start(first).await;
    let measurement = measure_url(&first.url("http", "www.web.test", "/"), &settings(&dns, &authority)).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let (phases, evidence) = (measurement.phases, &measurement.evidence);
    let redirects = phases.redirects.unwrap();
    assert!(redirects.duration() >= ON_THE_WAY);
    assert!(redirects.end <= phases.dns.unwrap().start, "{phases:?}");
    assert!(phases.tls.is_some(), "the last page has it");
    assert!(measurement.total >= redirects.duration() + phases.ttfb.unwrap().duration());
    assert_eq!(evidence.redirects.len(), 1);
    assert_eq!((evidence.redirects[0].status, evidence.status), (302, Some(200)));
    assert_eq!(measurement.target.as_str(), first.url("http", "www.web.test", "/"), "it is still this target's");
}

#[tokio::test]
async fn references_are_relative_to_the_page() {
    let answers = vec![("/a/b", redirect("c?d=e")), ("/a/c?d=e", redirect("/f#g")), ("/f", OK.to_owned())];
    let server = WebServer::start(by_path(answers)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/a/b"), &plain_settings()).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    let paths: Vec<_> = server.requests().iter().filter_map(|request| path(request)).collect();
    assert_eq!(paths, ["/a/b", "/a/c?d=e", "/f"]);
}

async fn check_refused(answers: Vec<(&'static str, String)>, message_part: &str) -> usize {
    let server = WebServer::start(by_path(answers)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Http));
    let message = measurement.failure.as_ref().unwrap().to_string();
    assert!(message.contains(message_part), "{message}");
    server.requests().len()
}

#[tokio::test]
async fn a_way_without_end_is_given_up() {
    for way in [redirect("x/"), redirect("/")] {
        let server = WebServer::start(answers(&way)).await;
        let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
        assert_eq!(stage(&measurement), Some(ErrorStage::Http));
        let message = measurement.failure.as_ref().unwrap().to_string();
        assert!(message.contains("redirect loop: 51 redirects"), "{message}");
        assert_eq!(server.requests().len(), 51);
    }
}

/// A page that wants its cookie back before it shows itself: the same URL twice is no loop.
#[tokio::test]
async fn cookies_come_along_to_their_host_alone() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let page = WebServer::start(by_path(vec![("/there", OK.to_owned())])).await;
    let first = |location: &str| {
        let answer = redirect(location).replace("\r\n\r\n", "\r\nSet-Cookie: seen=1; Path=/; HttpOnly\r\n\r\n");
        WebServer::start(by_path(vec![("/", answer), ("/there", OK.to_owned())]))
    };
    let settings = settings(&dns, &Authority::new());

    let same = first("/there").await;
    let measurement = measure_url(&same.url("http", "web.test", "/"), &settings).await;
    assert_eq!((stage(&measurement), measurement.evidence.status), (None, Some(200)), "{measurement:?}");
    assert!(same.requests()[1].contains("\r\nCookie: seen=1\r\n"), "{:?}", same.requests());

    let other = first(&page.url("http", "www.web.test", "/there")).await;
    let measurement = measure_url(&other.url("http", "web.test", "/"), &settings).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    assert!(!page.requests()[0].contains("Cookie:"), "{:?}", page.requests());
}

#[tokio::test]
async fn a_long_way_to_go_and_a_user_name_are_followed() {
    let query = format!("/login?SAMLRequest={}", "A".repeat(20_000));
    let server = WebServer::start(vec![Step::ReadRequest, Step::AnswerLongRedirect(query.clone())]).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert_eq!((stage(&measurement), measurement.evidence.status), (None, Some(200)), "{measurement:?}");
    let second = &server.requests()[1];
    assert_eq!(path(second), Some(query));
    assert!(second.contains("\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{}", second.len());
    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    assert!(json.len() < 4000 && !json.contains("secret"), "{json}");
}

#[tokio::test]
async fn a_way_to_no_page_is_a_failure() {
    check_refused(vec![("/", redirect("ftp://example.com/"))], "only http:// and https:// are followed").await;
    check_refused(vec![("/", redirect("icmp://127.0.0.1"))], "only http:// and https:// are followed").await;
}

#[tokio::test]
async fn another_host_is_left_alone_where_that_is_wanted() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let other = WebServer::start(answers(OK)).await;
    let elsewhere = redirect(&other.url("http", "127.0.0.1", "/"));
    let here = redirect("/page");
    let server = WebServer::start(by_path(vec![("/", here), ("/page", OK.to_owned()), ("/out", elsewhere)])).await;
    let settings = Settings { stay_on_host: true, ..settings(&dns, &Authority::new()) };
    let measurement = measure_url(&server.url("http", "web.test", "/"), &settings).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    let measurement = measure_url(&server.url("http", "web.test", "/out"), &settings).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Http));
    let message = measurement.failure.as_ref().unwrap().to_string();
    assert!(message.contains("another host; --stay-on-host"), "{message}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn an_error_at_the_end_is_an_error() {
    let requests = check_refused(vec![("/", redirect("/gone"))], "status 404").await;
    assert_eq!(requests, 2);
}
