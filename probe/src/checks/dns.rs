//! `dns://server/name`: a question to one name server.

use std::net::SocketAddr;

use netqoe_model::ErrorStage;

use crate::dns::Lookup;
use crate::measure::Measuring;
use crate::{Failure, Host, NameServers};

/// The phase is that of the question. A server that is given by its name is looked up before, in no phase.
pub(crate) async fn run(server: &Host, port: u16, name: &str, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let address = match server.ip() {
        Some(address) => address,
        None => *measuring.addresses(server).await?.first().ok_or_else(|| measuring.no_address(server))?,
    };
    measuring.phases.dns = None;
    let peer = SocketAddr::new(address, port);
    measuring.evidence.peer = Some(peer);
    let families = measuring.settings.families();
    let mut lookup = Lookup::start(name, families, &NameServers::At(vec![peer]), measuring.clock)?;
    let answered = measuring.deadline.hold(ErrorStage::Dns, lookup.addresses()).await;
    measuring.total = Some(measuring.clock.now());
    measuring.keep(lookup);
    let (_, span) = answered?;
    measuring.phases.dns = Some(span);
    Ok(())
}
