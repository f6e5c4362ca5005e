//! The probe has no certificate of its own, and notes where a server asks for one.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use super::certificate::Notes;

/// Has none, and notes the question. Many servers ask and do without.
#[derive(Debug)]
pub(super) struct NoCertificate(pub(super) Notes);

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.note_certificate_request();
        None
    }

    /// Without this, nobody is asked.
    fn has_certs(&self) -> bool {
        true
    }
}
