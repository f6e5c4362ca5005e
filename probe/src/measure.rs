//! One measurement of one target, from the first question to the last byte.

use std::net::SocketAddr;

use netqoe_model::ErrorStage;

use crate::deadline::Deadline;
use crate::phases::Clock;
use crate::{Failure, NameServers, Phases, Settings, Target, connect, dns, http, tls};

/// What one measurement found.
#[derive(Debug)]
pub struct Measurement {
    /// What was measured.
    pub target: Target,
    /// The phases that were reached, also where a later one failed.
    pub phases: Phases,
    /// Why it did not reach its end, if so.
    pub failure: Option<Failure>,
}

/// Measures `target` once: a lookup, a connection and a session of its own, one `GET`, no redirects followed.
///
/// It always ends within `settings.timeout`, and a target that fails is a measurement like any other. Dropping the
/// future ends the measurement.
pub async fn measure(target: &Target, settings: &Settings) -> Measurement {
    let mut phases = Phases::default();
    let outcome = run(target, settings, &mut phases).await;
    Measurement { target: target.clone(), phases, failure: outcome.err() }
}

async fn run(target: &Target, settings: &Settings, phases: &mut Phases) -> Result<(), Failure> {
    let clock = Clock::start();
    let deadline = Deadline::after(settings.timeout);

    let address = address(target, &settings.name_servers, clock, deadline, phases).await?;
    let (stream, span) = deadline.hold(ErrorStage::Tcp, connect::connect(address, clock)).await?;
    phases.tcp = Some(span);
    if !target.is_https() {
        return http::exchange(stream, target, clock, deadline, phases).await;
    }
    let handshake = tls::handshake(stream, target.server_name(), &settings.roots, clock);
    let (stream, span) = deadline.hold(ErrorStage::Tls, handshake).await?;
    phases.tls = Some(span);
    http::exchange(stream, target, clock, deadline, phases).await
}

/// The address to connect to: the URL's own, or one that is looked up.
async fn address(
    target: &Target,
    name_servers: &NameServers,
    clock: Clock,
    deadline: Deadline,
    phases: &mut Phases,
) -> Result<SocketAddr, Failure> {
    if let Some(ip) = target.ip() {
        return Ok(SocketAddr::new(ip, target.port()));
    }
    let host = target.host();
    let (addresses, span) = deadline.hold(ErrorStage::Dns, dns::look_up(host, name_servers, clock)).await?;
    phases.dns = Some(span);
    let ip = connect::choose(&addresses).ok_or_else(|| Failure::NoAddress { host: host.to_owned() })?;
    Ok(SocketAddr::new(ip, target.port()))
}
