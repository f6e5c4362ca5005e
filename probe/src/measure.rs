//! One measurement of one target, from the first question to the last byte.

use std::time::Duration;

use crate::clock_state::clock_state;
use crate::measuring::Measuring;
use crate::{Check, Evidence, Failure, NetworkContext, Phases, Settings, Target, checks};

/// What one measurement found.
#[derive(Debug)]
pub struct Measurement {
    /// What was measured.
    pub target: Target,
    /// The phases that were reached, also where a later one failed.
    pub phases: Phases,
    /// From the beginning to the end of the last phase but throughput, or to the failure.
    pub total: Duration,
    /// What explains them.
    pub evidence: Evidence,
    /// Why it did not reach its end, if so.
    pub failure: Option<Failure>,
}

/// Measures `target` once: a lookup, connections and a session of its own; nothing is cached or reused.
///
/// It ends within `settings.timeout`, and a target that fails is a measurement like any other. Dropping the future ends
/// the measurement.
pub async fn measure(target: &Target, settings: &Settings) -> Measurement {
    let mut measuring = Measuring::begin(settings);
    let outcome = match target.check() {
        Check::Web(url) => checks::web::run(url, &mut measuring).await,
        Check::Tcp { host, port } => checks::tcp::run(host, *port, &mut measuring).await,
        Check::Icmp { host } => checks::icmp::run(host, &mut measuring).await,
        Check::Dns { server, port, name } => checks::dns::run(server, *port, name, &mut measuring).await,
    };
    finish(measuring, target.clone(), outcome.err()).await
}

async fn finish(mut measuring: Measuring<'_>, target: Target, failure: Option<Failure>) -> Measurement {
    let total = measuring.total.unwrap_or_else(|| measuring.clock.now());
    measuring.evidence.network = NetworkContext::find(measuring.source_ip, measuring.settings.providers.as_deref());
    measuring.evidence.clock = clock_state();
    if let Some(lookup) = measuring.lookup {
        measuring.evidence.dns = lookup.finish(measuring.deadline.at()).await;
    }
    Measurement { target, phases: measuring.phases, total, evidence: measuring.evidence, failure }
}
