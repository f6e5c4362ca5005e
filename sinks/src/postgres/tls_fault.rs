//! What is wrong with the protection of a connection, and what to do about it.

use std::error::Error;

use netqoe_tls::{Fault, Remedies};

const REMEDIES: Remedies = Remedies {
    untrusted_issuer: "name a file with the certificate of that authority in the URL (sslrootcert=FILE)",
    other_name: "write a name in the URL that is in the certificate, or give the server a certificate for this name; \
                 sslmode=verify-ca compares no names",
    client_certificate: NO_CLIENT_CERTIFICATE,
    no_tls: "switch it on there (ssl = on), or allow a connection without it in the URL (sslmode=prefer)",
};

/// What to do where the server wants a client certificate.
pub(super) const NO_CLIENT_CERTIFICATE: &str =
    "netqoe shows none to PostgreSQL: take clientcert out of the server's pg_hba.conf";

/// What the driver says where the server declines TLS, which is no error of TLS.
const DECLINED: &str = "server does not support TLS";

/// What is wrong and what to do, if a connection failed of TLS.
pub(crate) fn reason(error: &postgres::Error) -> Option<String> {
    let declined = || error.source().is_some_and(|cause| cause.to_string() == DECLINED).then(Fault::no_tls);
    let fault = Fault::among(error).or_else(declined)?;
    Some(fault.without_client_certificate().with_remedy(&REMEDIES))
}
