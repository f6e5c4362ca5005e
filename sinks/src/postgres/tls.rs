//! Protection of the connection, as `sslmode` and `sslrootcert` ask for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use netqoe_tls::FileError;
use postgres::config::SslMode;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Where libpq looks for the issuer's certificate when it is told nothing.
const DEFAULT_ROOTS: &str = ".postgresql/root.crt";

/// The value of `sslrootcert` that stands for the certificates that the system trusts.
const SYSTEM_ROOTS: &str = "system";

/// What a connection must be protected from. Names and meaning are libpq's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// `disable`: never encrypted.
    Plain,
    /// `prefer`: encrypted if the server offers it; the server is not verified.
    IfOffered,
    /// `require`: encrypted; the server is not verified. With a file of issuers the same as `verify-ca`.
    Encrypted(Option<Issuers>),
    /// `verify-ca`: encrypted, with a certificate from one of the issuers.
    KnownIssuer(Issuers),
    /// `verify-full`: the certificate must also name the requested host.
    KnownHost(Issuers),
}

/// The trusted issuers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Issuers {
    /// The certificates in this PEM file.
    File(PathBuf),
    /// The file that libpq reads by default.
    DefaultFile,
    /// Those that the system trusts.
    System,
}

impl Protection {
    /// From the values of `sslmode` and `sslrootcert`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(mode: Option<&str>, issuers: Option<&str>) -> Result<Self, String> {
        let is_system = issuers == Some(SYSTEM_ROOTS);
        let issuers = issuers.map(|given| if is_system { Issuers::System } else { Issuers::File(given.into()) });
        let mode = mode.unwrap_or(if is_system { "verify-full" } else { "prefer" });
        if is_system && mode != "verify-full" {
            return Err("sslrootcert=system needs sslmode=verify-full".to_owned());
        }
        Ok(match mode {
            "disable" => Self::Plain,
            "prefer" => Self::IfOffered,
            "require" => Self::Encrypted(issuers),
            "verify-ca" => Self::KnownIssuer(issuers.unwrap_or(Issuers::DefaultFile)),
            "verify-full" => Self::KnownHost(issuers.unwrap_or(Issuers::DefaultFile)),
            _ => return Err("sslmode must be disable, prefer, require, verify-ca or verify-full".to_owned()),
        })
    }

    /// What the driver has to know.
    pub(super) fn ssl_mode(&self) -> SslMode {
        match self {
            Self::Plain => SslMode::Disable,
            Self::IfOffered => SslMode::Prefer,
            Self::Encrypted(_) | Self::KnownIssuer(_) | Self::KnownHost(_) => SslMode::Require,
        }
    }

    /// What makes connections so.
    ///
    /// # Errors
    /// Which certificates can't be read, and why.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().map_err(|error| netqoe_tls::of_tls(&error))?;
        let unnamed = |issuers| Arc::new(AnyHost { issuers, provider });
        let config = match self {
            Self::Plain | Self::IfOffered => config.dangerous().with_custom_certificate_verifier(unnamed(None)),
            Self::Encrypted(issuers) => {
                let issuers = match issuers {
                    Some(issuers) => Some(issuers.read()?),
                    None if default_roots().is_some_and(|path| path.exists()) => Some(Issuers::DefaultFile.read()?),
                    None => None,
                };
                config.dangerous().with_custom_certificate_verifier(unnamed(issuers))
            }
            Self::KnownIssuer(issuers) => {
                config.dangerous().with_custom_certificate_verifier(unnamed(Some(issuers.read()?)))
            }
            Self::KnownHost(issuers) => config.with_root_certificates(issuers.read()?),
        };
        Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
    }
}

fn default_roots() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(DEFAULT_ROOTS))
}

impl Issuers {
    fn read(&self) -> Result<RootCertStore, String> {
        match self {
            Self::File(path) => from_file(path),
            Self::DefaultFile => from_file(&default_roots().ok_or("there is no home folder; give sslrootcert")?),
            Self::System => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() {
                    Err("the system has no trusted certificates; give sslrootcert".to_owned())
                } else {
                    Ok(roots)
                }
            }
        }
    }
}

fn from_file(path: &Path) -> Result<RootCertStore, String> {
    netqoe_tls::roots_in(path).map_err(|FileError { path, reason }| {
        format!("can't use the certificates in {}: {reason}; see sslrootcert in the URL", path.display())
    })
}

/// Accepts a certificate whatever host it names, and, without issuers, from anybody. The server must still prove that it
/// has the certificate's key.
#[derive(Debug)]
struct AnyHost {
    issuers: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(issuers) = &self.issuers {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, issuers, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mode: Option<&str>, issuers: Option<&str>, expected: Result<Protection, &str>) {
        let read = Protection::read(mode, issuers);
        match expected {
            Ok(expected) => assert_eq!(read, Ok(expected)),
            Err(part) => assert!(read.as_ref().is_err_and(|reason| reason.contains(part)), "{read:?}"),
        }
    }

    #[test]
    fn modes_mean_what_libpq_means() {
        let file = || Issuers::File("ca.pem".into());
        check(None, None, Ok(Protection::IfOffered));
        check(None, Some("ca.pem"), Ok(Protection::IfOffered));
        check(Some("disable"), Some("ca.pem"), Ok(Protection::Plain));
        check(Some("prefer"), None, Ok(Protection::IfOffered));
        check(Some("require"), None, Ok(Protection::Encrypted(None)));
        check(Some("require"), Some("ca.pem"), Ok(Protection::Encrypted(Some(file()))));
        check(Some("verify-ca"), None, Ok(Protection::KnownIssuer(Issuers::DefaultFile)));
        check(Some("verify-ca"), Some("ca.pem"), Ok(Protection::KnownIssuer(file())));
        check(Some("verify-full"), Some("ca.pem"), Ok(Protection::KnownHost(file())));
        check(None, Some("system"), Ok(Protection::KnownHost(Issuers::System)));
        check(Some("require"), Some("system"), Err("sslmode=verify-full"));
        check(Some("allow"), None, Err("must be disable, prefer"));
    }

    #[test]
    fn certificates_that_cannot_be_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let connector = || Protection::KnownIssuer(Issuers::File(path.clone())).connector().err().unwrap();
        assert!(connector().contains("ca.pem"), "{}", connector());
        for content in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, content).unwrap();
            assert!(connector().contains("ca.pem") && !connector().contains('\n'), "{}", connector());
        }
    }
}
