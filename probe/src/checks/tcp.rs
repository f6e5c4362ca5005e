//! `tcp://host:port`: lookup and connection.

use netqoe_model::ErrorStage;

use crate::connect::{connect, tcp_info};
use crate::measuring::Measuring;
use crate::{Failure, Host};

pub(crate) async fn run(host: &Host, port: u16, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let addresses = measuring.addresses(host).await?;
    let connecting = connect(&addresses, port, measuring.clock, &mut measuring.evidence.attempts);
    let (stream, span) = measuring.deadline.hold(ErrorStage::Tcp, connecting).await?;
    measuring.phases.tcp = Some(span);
    measuring.total = Some(measuring.clock.now());
    if let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) {
        measuring.source_ip = Some(local.ip());
        measuring.evidence.peer = Some(peer);
        measuring.evidence.tcp_info = tcp_info(local, peer);
    }
    Ok(())
}
