//! `http://…` and `https://…`: a page, from the lookup to its last byte, and then the fixed object.

use crate::clock::Span;
use crate::connection::{Connection, Opening};
use crate::http::Exchange;
use crate::measure::Measuring;
use crate::throughput;
use crate::tls::TlsSession;
use crate::{Failure, Redirect, WebUrl};

/// Redirects that are followed, as many as browsers and curl's users put up with.
const MAX_REDIRECTS: usize = 10;

/// Redirects are followed: a page that only leads elsewhere says nothing. The phases are those of the page at the end of
/// the way, and the way there is a phase of its own.
pub(crate) async fn run(url: &WebUrl, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let session = TlsSession::new(measuring.settings);
    let outcome = run_in(url, &session, measuring).await;
    measuring.evidence.certificate_expires_s = session.certificate_expires_s();
    outcome
}

async fn run_in(url: &WebUrl, session: &TlsSession, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let mut url = url.clone();
    while let Some(location) = visit(&url, session, measuring).await? {
        url = follow(&url, &location, measuring)?;
    }
    measuring.total = Some(measuring.clock.now());
    throughput::run(&url, session, measuring).await
}

/// Measures one page. Where its answer leads elsewhere, if it does.
async fn visit(url: &WebUrl, session: &TlsSession, measuring: &mut Measuring<'_>) -> Result<Option<String>, Failure> {
    let addresses = measuring.addresses(url.host()).await?;
    let (clock, deadline) = (measuring.clock, measuring.deadline);

    let mut opening = Opening::default();
    let opened = Connection::open(url, &addresses, session, clock, deadline, &mut opening).await;
    (measuring.phases.tcp, measuring.phases.tls) = (opening.tcp, opening.tls);
    measuring.source_ip = opening.local.map(|local| local.ip());
    let evidence = &mut measuring.evidence;
    (evidence.attempts, evidence.peer, evidence.tls) = (opening.attempts, opening.peer, opening.tls_evidence);

    let mut connection = opened?;
    evidence.protocol = Some(connection.protocol());
    let mut exchange = Exchange::default();
    let outcome = connection.exchange(url, clock, deadline, &mut exchange).await;
    (evidence.tcp_info, evidence.quic_info) = (connection.tcp_info(), connection.quic_info());
    (evidence.status, evidence.body_bytes) = (exchange.status, exchange.status.map(|_| exchange.body.bytes));
    let phases = &mut measuring.phases;
    (phases.request, phases.ttfb, phases.body) = (exchange.request, exchange.ttfb, exchange.body_span);
    if matches!(outcome, Err(Failure::Tls { .. })) {
        // The server took its handshake back: as in TLS 1.2, it did not come about.
        (phases.tls, phases.request, phases.ttfb, phases.body) = Default::default();
    }
    outcome.map(|()| exchange.location)
}

/// The page that `location`, an answer of `from`, names. What was measured on the way is one phase.
fn follow(from: &WebUrl, location: &str, measuring: &mut Measuring<'_>) -> Result<WebUrl, Failure> {
    let evidence = &mut measuring.evidence;
    evidence.redirects.push(Redirect { url: from.to_string(), status: evidence.status.unwrap_or_default() });
    let url = from.join(location).map_err(Failure::Redirect)?;
    let is_known = evidence.redirects.iter().any(|redirect| redirect.url == url.to_string());
    if is_known || evidence.redirects.len() > MAX_REDIRECTS {
        return Err(Failure::RedirectLoop { after: evidence.redirects.len(), url: url.to_string() });
    }
    let redirects = std::mem::take(&mut evidence.redirects);
    measuring.forget();
    measuring.evidence.redirects = redirects;
    measuring.phases.redirects = Some(Span { start: Default::default(), end: measuring.clock.now() });
    Ok(url)
}
