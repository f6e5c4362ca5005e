//! Throughput: a fixed object over a connection of its own, so that no handshake, lookup or page is in it.

use std::time::Duration;

use netqoe_model::ErrorStage;

use crate::connection::{Connection, Opening};
use crate::dns::Lookup;
use crate::http::Exchange;
use crate::measure::Measuring;
use crate::tls::TlsSession;
use crate::{Failure, HostAddress, ThroughputEvidence, ThroughputObject, WebUrl};

/// Where a server has the fixed object, where nothing else is said.
pub const FIXED_OBJECT_PATH: &str = "/fixed/1mb.bin";
/// 1 MiB.
const FIXED_OBJECT_BYTES: usize = 1 << 20;
/// No object takes longer, whatever the time for the whole measurement is.
const LIMIT: Duration = Duration::from_secs(30);

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

/// Measures after `page`, from the same server where nothing else is said.
pub(crate) async fn run(page: &WebUrl, session: &TlsSession, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let (object, is_given) = match &measuring.settings.throughput {
        None => return Ok(()),
        Some(ThroughputObject::OfTarget) => (page.with_path(FIXED_OBJECT_PATH), false),
        Some(ThroughputObject::At(url)) => (url.clone(), true),
    };
    let mut evidence = ThroughputEvidence { url: object.to_string(), ..ThroughputEvidence::default() };
    let outcome = fetch(&object, page, session, measuring, &mut evidence).await;
    let has_object = evidence.status.is_none_or(|status| status == 200);
    measuring.evidence.throughput = Some(evidence);
    match outcome {
        // A server need not have the object that is looked for unasked.
        _ if !is_given && !has_object => Ok(()),
        Ok(()) if has_object => Ok(()),
        Ok(()) => Err(Failure::Request("it is not there itself, but elsewhere; give its own URL".to_owned())),
        Err(failure) => Err(failure),
    }
    .map_err(|cause| Failure::Throughput { url: object.to_string(), cause: Box::new(cause) })
}

async fn fetch(
    object: &WebUrl,
    page: &WebUrl,
    session: &TlsSession,
    measuring: &mut Measuring<'_>,
    evidence: &mut ThroughputEvidence,
) -> Result<(), Failure> {
    let (clock, deadline) = (measuring.clock, measuring.deadline.or_after(LIMIT));
    let same_host = measuring.evidence.peer.filter(|_| object.host() == page.host());
    let addresses = match same_host.map(HostAddress::from).or(object.host().address()?) {
        Some(address) => vec![address],
        None => {
            let (families, asked) = (measuring.settings.families(), &measuring.settings.name_servers);
            let mut lookup = Lookup::start(object.host().as_str(), families, asked, clock)?;
            deadline.hold(ErrorStage::Dns, lookup.addresses(deadline.at())).await?.0
        }
    };
    let mut opening = Opening::default();
    let mut connection = Connection::open(object, &addresses, session, clock, deadline, &mut opening).await?;
    evidence.tls = opening.tls_evidence;
    let mut exchange = Exchange::default();
    let outcome = connection.exchange(object, clock, deadline, &mut exchange).await;
    (evidence.status, evidence.bytes) = (exchange.status, exchange.body.bytes);
    (evidence.tcp_info, evidence.quic_info) = (connection.tcp_info(), connection.quic_info());
    if exchange.status == Some(200) && outcome.is_ok() {
        measuring.phases.throughput = exchange.body.transfer;
    }
    outcome
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
