//! The authorities that may sign certificates.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::second_stack::{Offer, SecondStack};
use crate::ClientIdentity;

/// Certificates that are trusted, as both TLS stacks want them.
pub struct TrustedRoots {
    store: Arc<RootCertStore>,
    certificates: Vec<CertificateDer<'static>>,
    /// Made where a server needs them; most need none.
    usual: OnceLock<SecondStack>,
    everything: OnceLock<SecondStack>,
}

impl TrustedRoots {
    /// These alone. Some stores hold ancient certificates that nothing can be verified with: those are left out.
    pub fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let certificates = Vec::from_iter(certificates);
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        Self { store: Arc::new(store), certificates, usual: OnceLock::new(), everything: OnceLock::new() }
    }

    /// Mozilla's.
    pub fn mozilla() -> Self {
        Self::new(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned())
    }

    /// For rustls.
    pub(crate) fn store(&self) -> &Arc<RootCertStore> {
        &self.store
    }

    /// For s2n-tls.
    pub(super) fn second_stack(&self, offer: Offer) -> &SecondStack {
        let stack = match offer {
            Offer::Usual => &self.usual,
            Offer::Everything => &self.everything,
        };
        stack.get_or_init(|| SecondStack::new(offer, &self.certificates, None))
    }

    /// The same with a certificate of the probe's own.
    pub(super) fn second_stack_with(&self, offer: Offer, identity: &ClientIdentity) -> SecondStack {
        SecondStack::new(offer, &self.certificates, Some(identity))
    }
}

impl fmt::Debug for TrustedRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A hundred certificates are of no use in a message.
        f.debug_struct("TrustedRoots").field("certificates", &self.certificates.len()).finish_non_exhaustive()
    }
}

/// The authorities that this machine trusts (or the file that `SSL_CERT_FILE` names), and Mozilla's: a probe sees what
/// the programs of its machine see, and works in a container without any.
pub fn trusted_roots() -> Arc<TrustedRoots> {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!("an authority of this machine can't be read: {error}");
    }
    let mozilla = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
    // Most machines trust Mozilla's, too.
    let mut certificates = mozilla.chain(found.certs).collect::<Vec<_>>();
    certificates.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    certificates.dedup();
    Arc::new(TrustedRoots::new(certificates))
}
