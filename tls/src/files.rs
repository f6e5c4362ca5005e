//! Certificates and keys in PEM files.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// Why a file can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it: a part of a sentence.
    pub reason: String,
}

impl FileError {
    fn of(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

/// The certificates in a file: at least one.
///
/// # Errors
/// Where it can't be read or holds none.
pub fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| FileError::of(path, of_pem(&error, "certificate")))?;
    if certificates.is_empty() { Err(FileError::of(path, NO_CERTIFICATE)) } else { Ok(certificates) }
}

/// The certificates in a file, as the ones that are trusted.
///
/// # Errors
/// Where it can't be read, holds none, or holds something else.
pub fn roots_in(path: &Path) -> Result<RootCertStore, FileError> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates_in(path)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|_| FileError::of(path, damaged(index)))?;
    }
    Ok(roots)
}

/// Checks that a file of certificates and a file with a key can be used together.
///
/// # Errors
/// Which of them can't be used.
pub fn check_key_pair(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<(), FileError> {
    key_pair_in(certificate, key, provider).map(drop)
}

/// A file of certificates, the own one first, and a file with its key.
///
/// # Errors
/// Which of them can't be used.
pub fn key_pair_in(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, FileError> {
    let certificates = certificates_in(certificate)?;
    if webpki::EndEntityCert::try_from(&certificates[0]).is_err() {
        return Err(FileError::of(certificate, damaged(0)));
    }
    let read = PrivateKeyDer::from_pem_file(key).map_err(|error| FileError::of(key, of_pem(&error, "private key")))?;
    CertifiedKey::from_der(certificates, read, provider).map_err(|error| {
        let reason = match error {
            rustls::Error::InconsistentKeys(_) => format!("it is not the key of {}", certificate.display()),
            _ => "it holds no private key of a kind that is known".to_owned(),
        };
        FileError::of(key, reason)
    })
}

const NO_CERTIFICATE: &str = "it holds no certificate in PEM form (BEGIN CERTIFICATE)";

fn damaged(index: usize) -> String {
    format!("certificate {} in it is damaged, or is no X.509 certificate", index + 1)
}

fn of_pem(error: &pem::Error, wanted: &str) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => format!("it holds no {wanted} in PEM form"),
        pem::Error::SectionTooLarge => "it is too large".to_owned(),
        _ => "it is damaged: what it holds is not PEM".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::aws_lc_rs;
    use tempfile::TempDir;

    use super::*;

    /// The reason why a file with this content holds no certificates to trust.
    fn reason(content: &str) -> String {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, content).unwrap();
        let error = roots_in(&path).unwrap_err();
        assert_eq!(error.path, path);
        error.reason
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        for none in ["", "no certificate\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(reason(none), NO_CERTIFICATE, "{none}");
        }
        let not_one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(reason(not_one), "certificate 1 in it is damaged, or is no X.509 certificate");
        for broken in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(reason(broken), "it is damaged: what it holds is not PEM", "{broken}");
        }
        let missing = roots_in(Path::new("missing.pem")).unwrap_err().reason;
        assert!(missing.starts_with("No such file"), "{missing}");
    }

    #[test]
    fn a_key_must_be_the_certificates() {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, content: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let certificate = CertificateParams::new(["a.test".to_owned()]).unwrap().self_signed(&key).unwrap();
        let certificate = write("client.pem", certificate.pem());
        let (key, other) = (write("client.key", key.serialize_pem()), write("other.key", other.serialize_pem()));
        let check = |certificate: &Path, key: &Path| {
            check_key_pair(certificate, key, &aws_lc_rs::default_provider()).map_err(|error| (error.path, error.reason))
        };
        assert_eq!(check(&certificate, &key), Ok(()));
        let not_its = format!("it is not the key of {}", certificate.display());
        assert_eq!(check(&certificate, &other), Err((other, not_its)));
        assert_eq!(check(&key, &key), Err((key.clone(), NO_CERTIFICATE.to_owned())));
        let no_key = "it holds no private key in PEM form".to_owned();
        assert_eq!(check(&certificate, &certificate), Err((certificate.clone(), no_key)));
    }
}
