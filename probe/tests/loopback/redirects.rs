//! Redirects are followed; what is measured is the page at the end of the way.

use std::time::Duration;

use netqoe_model::ErrorStage;

use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, OK, Step, WebServer, answers, path, redirect};
use crate::{measure_url, plain_settings, settings, stage};

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
async fn a_loop_is_a_failure_as_soon_as_it_closes() {
    assert_eq!(check_refused(vec![("/", redirect("/"))], "redirect loop").await, 1);
    let around = vec![("/", redirect("/a")), ("/a", redirect("/b")), ("/b", redirect("/a"))];
    assert_eq!(check_refused(around, "redirect loop").await, 3);
}

#[tokio::test]
async fn a_way_without_end_is_given_up() {
    // Each answer leads one directory deeper.
    let server = WebServer::start(answers(&redirect("x/"))).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Http));
    let message = measurement.failure.as_ref().unwrap().to_string();
    assert!(message.contains("redirect loop: 11 redirects"), "{message}");
    assert_eq!(server.requests().len(), 11);
}

#[tokio::test]
async fn a_way_to_no_page_is_a_failure() {
    check_refused(vec![("/", redirect("ftp://example.com/"))], "can't be followed").await;
    check_refused(vec![("/", redirect("icmp://127.0.0.1"))], "is no page").await;
    let message_part = "must not contain a user name";
    check_refused(vec![("/", redirect("http://user:secret@127.0.0.1/"))], message_part).await;
}

#[tokio::test]
async fn an_error_at_the_end_is_an_error() {
    let requests = check_refused(vec![("/", redirect("/gone"))], "status 404").await;
    assert_eq!(requests, 2);
}
