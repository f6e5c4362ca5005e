//! `icmp://host`: echoes.
//!
//! Decision: D-029.

use crate::measuring::Measuring;
use crate::{Failure, Host, icmp};

/// The median round trip stands where a TCP connect's would: both are one round trip to the host.
pub(crate) async fn run(host: &Host, measuring: &mut Measuring<'_>) -> Result<(), Failure> {
    let addresses = measuring.addresses(host).await?;
    let address = icmp::choose(&addresses).ok_or_else(|| measuring.no_address(host))?;
    measuring.evidence.peer = Some(address.at(0));
    let (span, evidence) = icmp::echo(address, measuring.clock, measuring.deadline.at()).await?;
    measuring.phases.tcp = Some(span);
    measuring.evidence.echoes = Some(evidence);
    Ok(())
}
