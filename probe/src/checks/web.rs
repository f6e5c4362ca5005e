//! `http://…` and `https://…`: a page, from the lookup to its last byte, and then the fixed object.
//!
//! Decision: D-027.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::Span;
use crate::connection::{Connection, Way};
use crate::http::{Again, CookieJar, Exchange, Head, Question};
use crate::measuring::Measuring;
use crate::opening::Opening;
use crate::throughput;
use crate::tls::TlsSession;
use crate::{ExpectedText, Failure, Redirect, RequestSettings, WebUrl};

/// Redirects that are followed, as many as curl follows. The same page may come again: with a cookie, or after a while,
/// it may answer otherwise.
const MAX_REDIRECTS: usize = 50;
/// How often a server may refuse a request unseen; curl tries as often.
const MAX_REFUSALS: usize = 5;

/// Redirects are followed: a page that only leads elsewhere says nothing. The phases are those of the page at the end of
/// the way, and the way there is a phase of its own.
pub(crate) async fn run(url: &WebUrl, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let session = TlsSession::new(measuring.settings);
    let outcome = run_in(url, &session, measuring).await;
    let evidence = &mut measuring.evidence;
    (evidence.certificate_expires_s, evidence.certificate) =
        (session.certificate_expires_s(), session.certificate_names());
    evidence.insecure = measuring.settings.insecure && session.shown() > 0;
    evidence.certificate_problem = session.certificate_problem();
    outcome
}

async fn run_in(url: &WebUrl, session: &TlsSession, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let (mut url, mut cookies) = (url.clone(), CookieJar::default());
    let mut request = Cow::Borrowed(&*measuring.settings.request);
    while let Some(location) = visit(&url, &request, session, &mut cookies, measuring).await? {
        let status = measuring.evidence.status.unwrap_or_default();
        let next = follow(&url, &location, measuring)?;
        if let Some(other) = request.after_redirect(status, next.is_same_origin(&url)) {
            request = Cow::Owned(other);
        }
        url = next;
    }
    measuring.total = Some(measuring.clock.now());
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let expires_s = session.certificate_expires_s();
    measuring.settings.expectations.check_certificate(expires_s, i64::try_from(now_s).unwrap_or(i64::MAX))?;
    throughput::run(&url, &request, session, measuring).await;
    Ok(())
}

/// Measures one page, again where its server has refused the request unseen. Where its answer leads elsewhere, if it does.
async fn visit(
    url: &WebUrl,
    request: &RequestSettings,
    session: &TlsSession,
    cookies: &mut CookieJar,
    measuring: &mut Measuring<'_>,
) -> Result<Option<Vec<u8>>, Failure> {
    let settings = measuring.settings;
    let proxy = settings.proxy.as_deref();
    let addresses = if proxy.is_some() { Vec::new() } else { measuring.addresses(url.host()).await? };
    let way = proxy.map_or(Way::Addresses(&addresses), |proxy| Way::Proxy(proxy, settings));
    let (mut over_http1, mut refusals) = (None, 0);
    loop {
        let (session, mut exchange) = (over_http1.as_ref().unwrap_or(session), Exchange::default());
        let outcome = visit_at(way, url, request, session, cookies, &mut exchange, measuring).await;
        let reason = match exchange.again {
            Some(Again::OverHttp1) if over_http1.is_none() => {
                over_http1 = Some(TlsSession::over_http1(measuring.settings));
                "the server wants HTTP/1.1"
            }
            Some(Again::Anew) if refusals < MAX_REFUSALS => {
                refusals += 1;
                "the server refused the request on a connection that it was closing"
            }
            _ => return outcome.map(|()| exchange.location),
        };
        measuring.evidence.asked_again = Some(reason);
    }
}

async fn visit_at(
    way: Way<'_>,
    url: &WebUrl,
    request: &RequestSettings,
    session: &TlsSession,
    cookies: &mut CookieJar,
    exchange: &mut Exchange,
    measuring: &mut Measuring<'_>,
) -> Result<(), Failure> {
    let (clock, deadline) = (measuring.clock, measuring.deadline);
    let mut opening = Opening::default();
    let opened = Connection::open(url, way, session, clock, deadline, &mut opening).await;
    (measuring.phases.proxy, measuring.phases.tcp, measuring.phases.tls) = (opening.proxy, opening.tcp, opening.tls);
    measuring.source_ip = opening.local.map(|local| local.ip());
    let evidence = &mut measuring.evidence;
    (evidence.attempts, evidence.peer, evidence.tls) = (opening.attempts, opening.peer, opening.tls_evidence);
    let settings = measuring.settings;
    evidence.proxy = settings.proxy.as_ref().map(|proxy| proxy.evidence(opening.proxy_address));

    let mut connection = opened?;
    evidence.protocol = Some(connection.protocol());
    let sent = cookies.header(url);
    exchange.search = settings.expectations.text.as_ref().map(ExpectedText::search);
    let question = Question {
        url,
        cookies: sent.as_deref(),
        request,
        expectations: &settings.expectations,
        is_whole_url: settings.proxy.as_ref().is_some_and(|proxy| proxy.takes_whole_url(url)),
    };
    let outcome = connection.exchange(question, clock, deadline, exchange).await;
    (evidence.tcp_info, evidence.quic_info) = (connection.tcp_info(), connection.quic_info());
    (evidence.status, evidence.body_bytes) = (exchange.status(), exchange.status().map(|_| exchange.body.bytes));
    evidence.headers = exchange.head.as_ref().map(Head::told).unwrap_or_default();
    for set_cookie in exchange.head.iter().flat_map(|head| head.values("set-cookie")) {
        cookies.take(url, set_cookie);
    }
    evidence.dropped_cookies = cookies.dropped;
    evidence.interim_answers = std::mem::take(&mut exchange.interim);
    let phases = &mut measuring.phases;
    (phases.request, phases.ttfb, phases.body) = (exchange.request, exchange.ttfb, exchange.body_span);
    if matches!(outcome, Err(Failure::Tls { .. })) {
        // The server took its handshake back: as in TLS 1.2, it did not come about.
        (phases.tls, phases.request, phases.ttfb, phases.body) = Default::default();
    }
    outcome
}

/// The page that `location`, an answer of `from`, names. What was measured on the way is one phase.
fn follow(from: &WebUrl, location: &[u8], measuring: &mut Measuring<'_>) -> Result<WebUrl, Failure> {
    let evidence = &mut measuring.evidence;
    evidence.redirects.push(Redirect { url: from.shown(), status: evidence.status.unwrap_or_default() });
    let url = from.follow(location).map_err(Failure::Redirect)?;
    if measuring.settings.stay_on_host && !url.is_same_host(from) {
        return Err(Failure::OtherHost { url: url.shown() });
    }
    if evidence.redirects.len() > MAX_REDIRECTS {
        return Err(Failure::RedirectLoop { after: evidence.redirects.len(), url: url.shown() });
    }
    let redirects = std::mem::take(&mut evidence.redirects);
    measuring.forget();
    measuring.evidence.redirects = redirects;
    measuring.phases.redirects = Some(Span { start: Default::default(), end: measuring.clock.now() });
    Ok(url)
}
