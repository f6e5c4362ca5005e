//! `dns://server/name`: a question to one name server.

use std::net::SocketAddr;

use netqoe_model::ErrorStage;

use crate::connect::in_turn;
use crate::dns::{DnsEvidence, DnsName, ServerQuestion};
use crate::measuring::Measuring;
use crate::{Failure, Host};

/// The phase is that of the question. A server that is given by its name is looked up before, in no phase, and asked at
/// whichever of its addresses answers.
pub(crate) async fn run(
    server: &Host,
    port: u16,
    name: &DnsName,
    measuring: &mut Measuring<'_>,
) -> Result<(), Failure> {
    let addresses = measuring.addresses(server).await?;
    measuring.forget_lookup();
    let addresses: Vec<SocketAddr> = in_turn(&addresses).into_iter().map(|address| address.at(port)).collect();
    measuring.evidence.peer = addresses.first().copied();
    let (deadline, families) = (measuring.deadline, measuring.settings.families());
    let mut question = ServerQuestion::new(name, families, addresses, measuring.clock);
    let answered = deadline.hold(ErrorStage::Dns, question.ask()).await;
    measuring.total = Some(measuring.clock.now());
    measuring.evidence.peer = question.answered_by().or(measuring.evidence.peer);
    measuring.evidence.dns = DnsEvidence { answers: question.into_answers(), ..DnsEvidence::default() };
    measuring.phases.dns = Some(answered?);
    Ok(())
}
