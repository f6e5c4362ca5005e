//! When a server's certificates expire, noted before anybody decides whether they are to be trusted, and what was decided.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

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
    complaint: OnceLock<String>,
    shown: AtomicUsize,
}

impl Notes {
    /// The earliest expiry among the certificates that were shown first, in Unix seconds. `None` where none was shown,
    /// or none that can be read.
    pub(super) fn earliest_expiry_s(&self) -> Option<i64> {
        self.0.earliest_expiry_s.get().copied()
    }

    /// What is wrong with a certificate; `None` where nothing is.
    pub(super) fn complaint(&self) -> Option<String> {
        self.0.complaint.get().cloned()
    }

    /// How often certificates were shown: in every handshake, unless it goes on with an earlier session.
    pub(super) fn shown(&self) -> usize {
        self.0.shown.load(Ordering::Relaxed)
    }

    fn note(&self, certificates: impl Iterator<Item = impl AsRef<[u8]>>) {
        self.0.shown.fetch_add(1, Ordering::Relaxed);
        let earliest = certificates.filter_map(|certificate| not_after(certificate.as_ref())).min();
        if let Some(earliest) = earliest {
            self.0.earliest_expiry_s.get_or_init(|| earliest);
        }
    }

    fn note_refusal(&self, error: &Error) {
        if let Some(complaint) = complaint(error) {
            self.0.complaint.get_or_init(|| complaint);
        }
    }
}

fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// Notes what it sees, and leaves every decision to `judge`.
#[derive(Debug)]
pub(super) struct NotingVerifier {
    pub(super) judge: Arc<dyn ServerCertVerifier>,
    pub(super) notes: Notes,
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
        judged.inspect_err(|error| self.notes.note_refusal(error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// Names of a certificate that a message holds: some have hundreds.
const MAX_NAMES: usize = 3;

/// What is wrong with a certificate, in plain words; `None` where the error is about something else.
fn complaint(error: &Error) -> Option<String> {
    let Error::InvalidCertificate(error) = error else { return None };
    Some(match error {
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { time, not_after } => {
            let days = time.as_secs().saturating_sub(not_after.as_secs()) / (24 * 60 * 60);
            format!("its certificate expired {days} days ago")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check this machine's clock".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let some = presented.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>();
            format!("its certificate is for another name: {}", some.join(", "))
        }
        // The second is an authority that only has the name of one that is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is signed by an authority that is not trusted".to_owned()
        }
        other => format!("its certificate is refused: {other}"),
    })
}
