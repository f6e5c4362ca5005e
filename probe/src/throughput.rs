//! Throughput: a fixed object over a connection of its own, so that no handshake, lookup or page is in it.
//!
//! Decision: D-028.

use std::time::Duration;

use ::http::Method;
use netqoe_model::ErrorStage;

use crate::connection::{Connection, Way};
use crate::dns::Lookup;
use crate::http::{Body, Exchange, MAX_BODY_BYTES, Question};
use crate::measuring::Measuring;
use crate::opening::Opening;
use crate::tls::TlsSession;
use crate::{Expectations, HostAddress, RequestSettings, ThroughputEvidence, ThroughputObject, Transfer, WebUrl};

/// Where a server has the fixed object.
pub const FIXED_OBJECT_PATH: &str = "/fixed/1mb.bin";
/// 1 MiB.
const FIXED_OBJECT_BYTES: usize = 1 << 20;
/// No object takes longer, whatever the time for the whole measurement is.
const LIMIT: Duration = Duration::from_secs(30);
/// How long the answer for the object is waited for, lookup and handshakes included: four times what the page took, within
/// these bounds. A server that never answers must not keep the next measurement waiting.
const MIN_WAIT: Duration = Duration::from_secs(2);
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The object to serve at [`FIXED_OBJECT_PATH`]: 1 MiB of noise, the same everywhere, which nothing on the way can
/// compress.
pub fn fixed_object() -> Vec<u8> {
    // xorshift64: any seed but 0 will do.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    });
    words.take(FIXED_OBJECT_BYTES / 8).flat_map(u64::to_le_bytes).collect()
}

/// Measures after `page`. A failure here is not a fault of the page: there is then no figure, and evidence says why.
pub(crate) async fn run(page: &WebUrl, request: &RequestSettings, session: &TlsSession, measuring: &mut Measuring<'_>) {
    let (object, must_be) = match &measuring.settings.throughput {
        None => return,
        Some(ThroughputObject::OfTarget) => (page.with_path(FIXED_OBJECT_PATH), Some(FIXED_OBJECT_BYTES as u64)),
        Some(ThroughputObject::At(url)) => (WebUrl::clone(url), None),
    };
    let mut evidence = ThroughputEvidence { url: object.shown(), ..ThroughputEvidence::default() };
    // What is said to the page is not said to others.
    let request = match object.is_same_origin(page) {
        true => RequestSettings { method: Method::GET, body: None, ..request.clone() },
        false => RequestSettings::default(),
    };
    let outcome = fetch(&object, must_be, page, &request, session, measuring, &mut evidence).await;
    match outcome {
        Ok(transfer) => measuring.phases.throughput = transfer,
        Err(reason) => evidence.reason = Some(reason),
    }
    measuring.evidence.throughput = Some(evidence);
}

/// The transfer of the object, or why there is none.
async fn fetch(
    object: &WebUrl,
    must_be: Option<u64>,
    page: &WebUrl,
    request: &RequestSettings,
    session: &TlsSession,
    measuring: &mut Measuring<'_>,
    evidence: &mut ThroughputEvidence,
) -> Result<Option<Transfer>, String> {
    let (clock, deadline) = (measuring.clock, measuring.deadline.or_after(LIMIT));
    let answer_by = deadline.or_after((measuring.total.unwrap_or_default() * 4).clamp(MIN_WAIT, MAX_WAIT));
    let same_host = measuring.evidence.peer.filter(|_| object.host() == page.host());
    let own = object.host().address().map_err(|failure| failure.to_string())?;
    let proxy = measuring.settings.proxy.as_deref();
    let addresses = match same_host.map(HostAddress::from).or(own) {
        _ if proxy.is_some() => Vec::new(),
        Some(address) => vec![address],
        None => {
            let (families, asked) = (measuring.settings.families(), &measuring.settings.name_servers);
            let lookup = Lookup::start(object.host().as_str(), families, asked, clock);
            let mut lookup = lookup.map_err(|failure| failure.to_string())?;
            let found = answer_by.hold(ErrorStage::Dns, lookup.addresses(answer_by.at())).await;
            found.map_err(|failure| failure.to_string())?.0
        }
    };
    let mut opening = Opening::default();
    let way = proxy.map_or(Way::Addresses(&addresses), |proxy| Way::Proxy(proxy, measuring.settings));
    let opened = Connection::open(object, way, session, clock, answer_by, &mut opening).await;
    let mut connection = opened.map_err(|failure| failure.to_string())?;
    evidence.tls = opening.tls_evidence;
    // A byte more tells that it is another.
    let wanted = Body { wanted_bytes: must_be.map(|bytes| bytes + 1), ..Body::default() };
    let mut exchange =
        Exchange { body: wanted, object_bytes: Some(must_be), answer_by: Some(answer_by), ..Exchange::default() };
    let question = Question {
        url: object,
        cookies: None,
        request,
        expectations: &Expectations::default(),
        is_whole_url: proxy.is_some_and(|proxy| proxy.takes_whole_url(object)),
    };
    let outcome = connection.exchange(question, clock, deadline, &mut exchange).await;
    (evidence.status, evidence.bytes) = (exchange.status(), exchange.body.bytes);
    (evidence.tcp_info, evidence.quic_info) = (connection.tcp_info(), connection.quic_info());
    outcome.map_err(|failure| failure.to_string())?;
    let body = exchange.body;
    match (must_be, exchange.is_body_whole) {
        (Some(bytes), _) if body.bytes != bytes => {
            Err(format!("its body is not the {bytes} bytes of the fixed object"))
        }
        (None, false) if exchange.head.is_some_and(|head| head.values("content-length").next().is_none()) => {
            Err(format!("it has no end within {MAX_BODY_BYTES} bytes, and announces no length"))
        }
        _ => match body.transfer.and_then(Transfer::throughput_mbps) {
            Some(_) => Ok(body.transfer),
            None => Err(format!("{} bytes at once are too few to tell", body.bytes)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_object_is_1_mib_of_noise() {
        let object = fixed_object();
        assert_eq!(object.len(), 1_048_576);
        let mut counts = [0_u32; 256];
        for byte in &object {
            counts[usize::from(*byte)] += 1;
        }
        // 4096 of each are expected, with a standard deviation of 64.
        assert!(counts.iter().all(|count| (3500..4700).contains(count)), "{counts:?}");
    }
}
