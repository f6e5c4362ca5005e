//! When a server's certificates expire, noted before anybody decides whether they are to be trusted, and what was decided.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What the certificates of a server have told, and what was said of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    earliest_expiry_s: OnceLock<i64>,
    own: OnceLock<CertificateNames>,
    /// Who has signed the server's own certificate that was shown last; absent if it has signed itself.
    issuer: Mutex<Option<String>>,
    passed_over: OnceLock<CertificateError>,
    complaint: Mutex<Option<CertificateError>>,
    shown: AtomicUsize,
    asked_for_certificate: AtomicBool,
}

impl Notes {
    /// The earliest expiry among the certificates that were shown first, in Unix seconds. `None` if none was shown,
    /// or none that can be read.
    pub(super) fn earliest_expiry_s(&self) -> Option<i64> {
        self.0.earliest_expiry_s.get().copied()
    }

    /// The names in the server's own certificate, of those that were shown first.
    pub(super) fn names(&self) -> Option<CertificateNames> {
        self.0.own.get().cloned()
    }

    /// What is wrong with the certificate of the latest handshake; `None` if nothing is.
    pub(super) fn complaint(&self) -> Option<CertificateError> {
        self.complaint_now().clone()
    }

    /// What is wrong with a certificate that was accepted nevertheless.
    pub(super) fn passed_over(&self) -> Option<&CertificateError> {
        self.0.passed_over.get()
    }

    /// What is wrong with the certificate that was shown last, in plain words.
    pub(super) fn words(&self, complaint: &CertificateError) -> String {
        if !netqoe_tls::is_untrusted(complaint) {
            return netqoe_tls::of_certificate(complaint);
        }
        match &*self.0.issuer.lock().unwrap_or_else(PoisonError::into_inner) {
            None => "its certificate is self-signed, and not trusted".to_owned(),
            Some(issuer) => format!("its certificate is signed by an authority that is not trusted: {issuer}"),
        }
    }

    /// How often certificates were shown: in every handshake, unless it goes on with an earlier session.
    pub(super) fn shown(&self) -> usize {
        self.0.shown.load(Ordering::Relaxed)
    }

    /// Whether the server asked for a certificate in the latest handshake.
    pub(super) fn asked_for_certificate(&self) -> bool {
        self.0.asked_for_certificate.load(Ordering::Relaxed)
    }

    /// Another handshake begins: what an earlier one has failed with says nothing about it.
    pub(super) fn begin(&self) {
        *self.complaint_now() = None;
        self.0.asked_for_certificate.store(false, Ordering::Relaxed);
    }

    pub(super) fn note(&self, certificates: impl Iterator<Item = impl AsRef<[u8]>>) {
        self.0.shown.fetch_add(1, Ordering::Relaxed);
        let mut earliest = None;
        for (index, certificate) in certificates.enumerate() {
            let Ok((_, certificate)) = X509Certificate::from_der(certificate.as_ref()) else { continue };
            let not_after = certificate.validity().not_after.timestamp();
            earliest = Some(earliest.map_or(not_after, |earliest: i64| earliest.min(not_after)));
            // The server's own comes first.
            if index == 0 {
                let names = CertificateNames::of(&certificate);
                let issuer = (certificate.subject() != certificate.issuer()).then(|| names.issuer.clone());
                *self.0.issuer.lock().unwrap_or_else(PoisonError::into_inner) = issuer;
                self.0.own.get_or_init(|| names);
            }
        }
        if let Some(earliest) = earliest {
            self.0.earliest_expiry_s.get_or_init(|| earliest);
        }
    }

    pub(super) fn note_certificate_request(&self) {
        self.0.asked_for_certificate.store(true, Ordering::Relaxed);
    }

    fn note_refusal(&self, error: &Error) {
        if let Error::InvalidCertificate(error) = error {
            *self.complaint_now() = Some(error.clone());
        }
    }

    fn complaint_now(&self) -> MutexGuard<'_, Option<CertificateError>> {
        self.0.complaint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Characters of a name that are kept: a certificate may be as long as its server likes.
const MAX_NAME: usize = 200;

/// Whose a certificate is, and who has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateNames {
    /// As `CN=example.com`; empty where it names only hosts.
    pub subject: String,
    /// As `C=US, O=Example Authority, CN=R1`.
    pub issuer: String,
}

impl CertificateNames {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let kept = |name: String| name.chars().take(MAX_NAME).collect();
        Self { subject: kept(certificate.subject().to_string()), issuer: kept(certificate.issuer().to_string()) }
    }
}

/// Notes what it sees, and leaves every decision to `judge`; unless any certificate will do.
#[derive(Debug)]
pub(super) struct NotingVerifier {
    pub(super) judge: Arc<dyn ServerCertVerifier>,
    pub(super) notes: Notes,
    pub(super) accepts_any: bool,
}

impl ServerCertVerifier for NotingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.notes.note(std::iter::once(end_entity).chain(intermediates));
        let judged = self.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let (true, Err(Error::InvalidCertificate(error))) = (self.accepts_any, &judged) {
            self.notes.0.passed_over.get_or_init(|| error.clone());
            return Ok(ServerCertVerified::assertion());
        }
        judged.inspect_err(|error| self.notes.note_refusal(error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let judged = self.judge.verify_tls12_signature(message, certificate, signature);
        judged.inspect_err(|error| self.notes.note_refusal(error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let judged = self.judge.verify_tls13_signature(message, certificate, signature);
        judged.inspect_err(|error| self.notes.note_refusal(error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}
