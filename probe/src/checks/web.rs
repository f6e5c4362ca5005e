//! `http://…` and `https://…`: a page, from the lookup to its last byte, and then the fixed object.
//!
//! Decision: D-027.

use crate::clock::Span;
use crate::connection::Connection;
use crate::http::{Again, CookieJar, Exchange, Head, Question};
use crate::measuring::Measuring;
use crate::opening::Opening;
use crate::throughput;
use crate::tls::TlsSession;
use crate::{Failure, HostAddress, Redirect, WebUrl};

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
    outcome
}

async fn run_in(url: &WebUrl, session: &TlsSession, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let (mut url, mut cookies) = (url.clone(), CookieJar::default());
    while let Some(location) = visit(&url, session, &mut cookies, measuring).await? {
        url = follow(&url, &location, measuring)?;
    }
    measuring.total = Some(measuring.clock.now());
    throughput::run(&url, session, measuring).await;
    Ok(())
}

/// Measures one page, again where its server has refused the request unseen. Where its answer leads elsewhere, if it does.
async fn visit(
    url: &WebUrl,
    session: &TlsSession,
    cookies: &mut CookieJar,
    measuring: &mut Measuring<'_>,
) -> Result<Option<Vec<u8>>, Failure> {
    let addresses = measuring.addresses(url.host()).await?;
    let (mut over_http1, mut refusals) = (None, 0);
    loop {
        let (session, mut exchange) = (over_http1.as_ref().unwrap_or(session), Exchange::default());
        let outcome = visit_at(&addresses, url, session, cookies, &mut exchange, measuring).await;
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
    addresses: &[HostAddress],
    url: &WebUrl,
    session: &TlsSession,
    cookies: &mut CookieJar,
    exchange: &mut Exchange,
    measuring: &mut Measuring<'_>,
) -> Result<(), Failure> {
    let (clock, deadline) = (measuring.clock, measuring.deadline);
    let mut opening = Opening::default();
    let opened = Connection::open(url, addresses, session, clock, deadline, &mut opening).await;
    (measuring.phases.tcp, measuring.phases.tls) = (opening.tcp, opening.tls);
    measuring.source_ip = opening.local.map(|local| local.ip());
    let evidence = &mut measuring.evidence;
    (evidence.attempts, evidence.peer, evidence.tls) = (opening.attempts, opening.peer, opening.tls_evidence);

    let mut connection = opened?;
    evidence.protocol = Some(connection.protocol());
    let sent = cookies.header(url);
    let question = Question { url, cookies: sent.as_deref() };
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
