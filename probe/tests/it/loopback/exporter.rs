//! What Prometheus sees: the latest measurements of a running agent, and measurements that it asks for.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use netqoe_model::EventTime;
use netqoe_probe::{Askable, Family, Plan, Reporter, Settings, Target, exporter, run_probe};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::loopback::{plain_settings, refusing_socket, settings};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, OK, Step, WebServer, answers};

fn plan(targets: &[&str], settings: Settings) -> Plan {
    let targets = targets.iter().map(|target| target.parse::<Target>().unwrap().into()).collect();
    Plan { settings, ..Plan::new(targets, "probe-1".to_owned()) }
}

async fn ask(exporter: &Router, request: Request<Body>) -> (StatusCode, String) {
    let answer = exporter.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(super) async fn get(exporter: &Router, path: &str) -> (StatusCode, String) {
    ask(exporter, Request::get(path).body(Body::empty()).unwrap()).await
}

/// A question of a Prometheus that waits for so many seconds.
fn impatient(path: &str, seconds: &str) -> Request<Body> {
    Request::get(path).header("X-Prometheus-Scrape-Timeout-Seconds", seconds).body(Body::empty()).unwrap()
}

/// The value of a metric that is written so, with its labels; `None` if it is absent.
pub(super) fn value(text: &str, metric: &str) -> Option<f64> {
    let value = |line: &str| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value)
}

#[tokio::test]
async fn probe_measures_once_and_now() {
    let (dns, authority) = (DnsServer::start(Duration::ZERO).await, Authority::new());
    let script = vec![Step::ReadRequest, Step::Wait(Duration::from_millis(20)), Step::send(OK)];
    let server = WebServer::start_tls(authority.certify("web.test"), script).await;
    let exporter = exporter(&plan(&[], settings(&dns, &authority)), None, Askable::Any);

    let url = server.url("https", "web.test", "/");
    let (status, text) = get(&exporter, &format!("/probe?target={url}&module=http_2xx")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    for (metric, expected) in [
        ("probe_success", 1.0),
        ("probe_http_status_code", 200.0),
        ("probe_http_version", 1.1),
        ("probe_http_ssl", 1.0),
        ("probe_http_redirects", 0.0),
        ("probe_http_uncompressed_body_length", 2.0),
        ("probe_ip_protocol", 4.0),
        ("probe_tls_version_info{version=\"TLS 1.3\"}", 1.0),
    ] {
        assert_eq!(value(&text, metric), Some(expected), "{metric}: {text}");
    }
    let phase = |phase: &str| value(&text, &format!("probe_http_duration_seconds{{phase=\"{phase}\"}}")).unwrap();
    let phases = ["resolve", "connect", "tls", "processing", "transfer"].map(phase);
    assert!(phases.iter().all(|seconds| *seconds > 0.0) && phases[3] >= 0.02, "{phases:?}");
    assert_eq!(value(&text, "probe_dns_lookup_time_seconds"), Some(phases[0]));
    assert!(value(&text, "probe_duration_seconds").unwrap() >= phases.iter().sum());
    assert!(value(&text, "probe_ssl_earliest_cert_expiry").unwrap() > 1.7e9);
    assert!(!text.contains("target="), "Prometheus names the target itself: {text}");
    assert!(!text.contains("throughput_bytes"), "it was not measured: {text}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_was_not_reached_is_absent() {
    let (_socket, refused) = refusing_socket();
    let exporter = exporter(&plan(&[], plain_settings()), None, Askable::Any);
    let (status, text) = get(&exporter, &format!("/probe?target=http://{refused}/")).await;
    assert_eq!((status, value(&text, "probe_success")), (StatusCode::OK, Some(0.0)), "{text}");
    assert_eq!(value(&text, "telemetry_probe_failed_stage_info{stage=\"tcp\"}"), Some(1.0), "{text}");
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let reached = [
        "probe_duration_seconds",
        "probe_success",
        "telemetry_probe_failed_stage_info",
        "telemetry_probe_residual_seconds",
    ];
    assert_eq!(names, reached);
}

#[tokio::test]
async fn other_checks_have_phases_of_their_own() {
    let server = WebServer::start(answers(OK)).await;
    let dns = DnsServer::start(Duration::ZERO).await;
    let exporter = exporter(&plan(&[], plain_settings()), None, Askable::Any);
    let (_, text) = get(&exporter, &format!("/probe?target={}&module=tcp_connect", server.address)).await;
    assert!(value(&text, "probe_tcp_duration_seconds{phase=\"connect\"}") > Some(0.0), "{text}");
    let (_, text) = get(&exporter, &format!("/probe?target=dns://{}/a.test", dns.address)).await;
    assert!(value(&text, "probe_dns_duration_seconds{phase=\"request\"}") > Some(0.0), "{text}");
    assert_eq!(value(&text, "probe_dns_lookup_time_seconds"), None, "{text}");
    assert!(!text.contains("probe_http") && !text.contains("probe_tcp"), "{text}");
}

#[tokio::test]
async fn the_scrapes_timeout_ends_a_measurement() {
    let server = WebServer::start(vec![Step::ReadRequest, Step::Stall]).await;
    let exporter = exporter(&plan(&[], plain_settings()), None, Askable::Any);
    let path = format!("/probe?target={}", server.url("http", "127.0.0.1", "/"));
    let (status, text) = ask(&exporter, impatient(&path, "0.4")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(value(&text, "telemetry_probe_failed_stage_info{stage=\"http\"}"), Some(1.0), "{text}");
    let took = value(&text, "probe_duration_seconds").unwrap();
    assert!((0.1..30.0).contains(&took), "{took}");
}

#[tokio::test]
async fn no_more_measurements_at_once_than_planned() {
    let server = WebServer::start(vec![Step::ReadRequest, Step::Stall]).await;
    let mut plan = plan(&[], plain_settings());
    plan.concurrency = 1;
    let exporter = exporter(&plan, None, Askable::Any);
    let path = format!("/probe?target={}", server.url("http", "127.0.0.1", "/"));
    let first = tokio::spawn({
        let (exporter, path) = (exporter.clone(), path.clone());
        async move { get(&exporter, &path).await }
    });
    while server.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (status, text) = ask(&exporter, impatient(&path, "0.2")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    assert!(text.contains("too many measurements at once"), "{text}");
    // Whoever goes away makes room.
    first.abort();
    let (status, text) = ask(&exporter, impatient(&path, "2")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(server.seen.lock().unwrap().connections, 2);
}

#[tokio::test]
async fn questions_that_cant_be_answered_are_refused_in_one_line() {
    let exporter = exporter(&plan(&[], plain_settings()), None, Askable::Any);
    for (path, says) in [
        ("/probe", "the target is missing"),
        ("/probe?target=ftp://a.test", "must begin with http://"),
        ("/probe?target=a.test&module=nonsense", "\"nonsense\" is not known"),
    ] {
        let (status, text) = get(&exporter, path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(text.contains(says) && text.lines().count() == 1, "{path}: {text}");
    }
}

#[tokio::test]
async fn whoever_asks_from_elsewhere_gets_only_what_is_planned() {
    let server = WebServer::start(answers(OK)).await;
    let [planned, other] = ["/planned", "/other"].map(|path| server.url("http", "127.0.0.1", path));
    let exporter = exporter(&plan(&[&planned], plain_settings()), None, Askable::Planned);
    let (status, text) = get(&exporter, &format!("/probe?target={other}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
    let (status, text) = get(&exporter, &format!("/probe?target={planned}")).await;
    assert_eq!((status, value(&text, "probe_success")), (StatusCode::OK, Some(1.0)), "{text}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_page_in_a_browser_has_nothing_measured() {
    let (_socket, refused) = refusing_socket();
    let exporter = exporter(&plan(&[], plain_settings()), None, Askable::Any);
    for (host, expected) in [
        ("127.0.0.1:9115", StatusCode::OK),
        ("[::1]:9115", StatusCode::OK),
        ("localhost:9115", StatusCode::OK),
        ("page.test:9115", StatusCode::FORBIDDEN),
        ("127.0.0.1.page.test", StatusCode::FORBIDDEN),
        ("", StatusCode::FORBIDDEN),
    ] {
        let path = format!("/probe?target=tcp://{refused}");
        let request = Request::get(path).header("Host", host).body(Body::empty()).unwrap();
        let (status, text) = ask(&exporter, request).await;
        assert_eq!(status, expected, "{host}: {text}");
    }
    for (site, expected) in [
        ("none", StatusCode::OK),
        ("cross-site", StatusCode::FORBIDDEN),
        ("same-site", StatusCode::FORBIDDEN),
        ("same-origin", StatusCode::FORBIDDEN),
    ] {
        let request = Request::get(format!("/probe?target=tcp://{refused}")).header("Host", "localhost:9115");
        let (status, text) = ask(&exporter, request.header("Sec-Fetch-Site", site).body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{site}: {text}");
    }
    for (name, value) in
        [("Origin", "http://page.test"), ("Referer", "http://page.test/"), ("User-Agent", "Mozilla/5.0")]
    {
        let request = Request::get(format!("/probe?target=tcp://{refused}")).header("Host", "localhost:9115");
        let (status, text) = ask(&exporter, request.header(name, value).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}: {text}");
    }
    for (agent, expected) in [("Prometheus/2.42.0", StatusCode::OK), ("Mozilla/5.0", StatusCode::FORBIDDEN)] {
        let request = Request::get("/metrics").header("Host", "proxy.test").header("User-Agent", agent);
        let (status, text) = ask(&exporter, request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{agent}: {text}");
    }
}

#[tokio::test]
async fn a_page_is_asked_for_under_the_name_that_was_given() {
    let (dns, authority) = (DnsServer::start(Duration::ZERO).await, Authority::new());
    let server = WebServer::start_tls(authority.certify("named.test"), answers(OK)).await;
    let exporter = exporter(&plan(&[], settings(&dns, &authority)), None, Askable::Any);
    let path = format!("/probe?target={}", server.url("https", "127.0.0.1", "/"));
    let (_, text) = get(&exporter, &path).await;
    assert_eq!(value(&text, "telemetry_probe_failed_stage_info{stage=\"tls\"}"), Some(1.0), "{text}");
    let (status, text) = get(&exporter, &format!("{path}&hostname=named.test:8443")).await;
    assert_eq!((status, value(&text, "probe_success")), (StatusCode::OK, Some(1.0)), "{text}");
    let request = server.requests().concat();
    assert!(request.to_ascii_lowercase().contains("host: named.test:8443"), "{request}");
}

#[tokio::test]
async fn the_preferred_addresses_are_used_where_there_are_any() {
    let server = WebServer::start(answers(OK)).await;
    let plan = plan(&[], plain_settings());
    let any = exporter(&plan, None, Askable::Any);
    let path = format!("/probe?target={}", server.url("http", "127.0.0.1", "/"));
    for preference in ["preferred_ip_protocol=ip4", "preferred_ip_protocol=ip6"] {
        let (_, text) = get(&any, &format!("{path}&{preference}")).await;
        assert_eq!(value(&text, "probe_ip_protocol"), Some(4.0), "{preference}: {text}");
    }
    let only_ip6 = format!("{path}&preferred_ip_protocol=ip6&ip_protocol_fallback=false");
    let (_, text) = get(&any, &only_ip6).await;
    assert_eq!((value(&text, "probe_success"), value(&text, "probe_ip_protocol")), (Some(0.0), None), "{text}");
    let only_ip4 = Plan { settings: Settings { only: Some(Family::V4), ..plan.settings.clone() }, ..plan };
    let (status, text) = get(&exporter(&only_ip4, None, Askable::Any), &only_ip6).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    assert!(text.contains("uses IPv4 only"), "{text}");
}

#[tokio::test]
async fn debug_explains_the_measurement() {
    let server = WebServer::start(answers(OK)).await;
    let exporter = exporter(&plan(&[], plain_settings()), None, Askable::Any);
    let url = server.url("http", "127.0.0.1", "/");
    let (status, text) = get(&exporter, &format!("/probe?target={url}&debug=true&preferred_ip_protocol=ip4")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    for part in ["Works, in", "\nprobe_success 1\n", &format!("target: {url}\n"), "preferred_ip_protocol: ip4"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (_, text) = get(&exporter, &format!("/probe?target={url}&debug=false")).await;
    assert!(!text.contains("Works"), "{text}");
}

/// Takes every event, and keeps none.
struct ToNobody;

impl Reporter for ToNobody {
    type Error = std::convert::Infallible;

    async fn report(&self, _: String) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[tokio::test]
async fn metrics_show_the_latest_measurement_of_each_target() {
    let server = WebServer::start(answers(OK)).await;
    let (_socket, refused) = refusing_socket();
    let (works, fails) = (server.url("http", "127.0.0.1", "/"), format!("tcp://{refused}"));
    let mut plan = plan(&[&works, &fails], plain_settings());
    plan.interval = Duration::from_millis(10);
    let exporter = exporter(&plan, None, Askable::Any);
    let stop = CancellationToken::new();
    let agent = tokio::spawn({
        let stop = stop.clone();
        let now = || EventTime::from_ms(1_700_000_000_500);
        async move { run_probe(plan, ToNobody, now, &mut StdRng::seed_from_u64(1), stop).await.unwrap() }
    });
    let of = |metric: &str, target: &str| format!("{metric}{{target=\"{target}\"}}");
    let measurements = |text: &str, target: &str| value(text, &of("telemetry_probe_measurements_total", target));
    let text = loop {
        let (status, text) = get(&exporter, "/metrics").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        if [&works, &fails].iter().all(|target| measurements(&text, target) >= Some(2.0)) {
            break text;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(value(&text, &of("probe_success", &works)), Some(1.0), "{text}");
    assert_eq!(value(&text, &of("probe_success", &fails)), Some(0.0), "{text}");
    assert_eq!(value(&text, &of("probe_http_status_code", &works)), Some(200.0), "{text}");
    assert_eq!(value(&text, &of("probe_http_status_code", &fails)), None, "{text}");
    assert_eq!(
        value(&text, &of("telemetry_probe_measured_timestamp_seconds", &works)),
        Some(1_700_000_000.5),
        "{text}"
    );
    let failures = |stage: &str, target: &str| {
        value(&text, &format!("telemetry_probe_failures_total{{stage=\"{stage}\",target=\"{target}\"}}"))
    };
    assert_eq!((failures("tcp", &fails), failures("tcp", &works)), (measurements(&text, &fails), Some(0.0)), "{text}");
    assert_eq!(text.matches("# TYPE probe_success gauge\n").count(), 1, "{text}");

    stop.cancel();
    agent.await.unwrap();
    let (_, text) = get(&exporter, "/metrics").await;
    assert_eq!(text, "", "nothing is measured any more");
}
