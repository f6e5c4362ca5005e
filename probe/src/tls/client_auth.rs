//! The probe's own certificate, if it has one, and whether a server asks for it.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use super::certificate::Notes;

/// Shows the probe's certificate; if there is none, it notes the question. Many servers ask and do without.
#[derive(Debug)]
pub(super) struct OwnCertificate {
    pub(super) own: Option<Arc<CertifiedKey>>,
    pub(super) notes: Notes,
}

impl ResolvesClientCert for OwnCertificate {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let own = self.own.as_ref().filter(|own| own.key.choose_scheme(schemes).is_some());
        if own.is_none() {
            self.notes.note_certificate_request();
        }
        own.map(Arc::clone)
    }

    /// Without this, nobody is asked.
    fn has_certs(&self) -> bool {
        true
    }
}
