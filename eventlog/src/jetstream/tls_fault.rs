//! What is wrong with TLS to a NATS server, and what to do about it.

use async_nats::ConnectError;
use netqoe_tls::{Fault, Remedies};

const REMEDIES: Remedies = Remedies {
    untrusted_issuer: "give the certificate of that authority with --nats-ca",
    other_name: "write a name in --nats-url that is in the certificate, or give the server a certificate for this name",
    client_certificate: "give one that it accepts with --nats-certificate and --nats-key",
    no_tls: "write nats:// instead of tls:// in --nats-url, or switch TLS on in the server's configuration (tls { … })",
};

/// What is wrong and what to do, if a connection failed of TLS.
pub(super) fn reason(error: &ConnectError, shows_certificate: bool) -> Option<String> {
    let fault = Fault::among(error)?;
    let fault = if shows_certificate { fault } else { fault.without_client_certificate() };
    Some(fault.with_remedy(&REMEDIES))
}
