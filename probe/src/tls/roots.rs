//! Who is trusted to sign certificates.

use std::sync::Arc;

use rustls::RootCertStore;

/// The authorities that this machine trusts (or the file that `SSL_CERT_FILE` names), and Mozilla's: a probe sees what
/// the programs of its machine see, and works in a container without any.
pub fn trusted_roots() -> Arc<RootCertStore> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!("an authority of this machine can't be read: {error}");
    }
    // Some stores hold ancient certificates that nothing can be verified with.
    roots.add_parsable_certificates(found.certs);
    Arc::new(roots)
}
