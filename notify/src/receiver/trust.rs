//! Which certificates are trusted: those that the system does, or those of one file.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use netqoe_tls::{Fault, FileError, Remedies};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// TLS that verifies the server's certificate and name. The error is a part of a sentence.
pub(super) fn tls(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| netqoe_tls::of_tls(&error))?;
    let mut config = config.with_root_certificates(roots(ca_file)?).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca_file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err("the system has no trusted certificates; give ca_file".to_owned());
        }
        return Ok(roots);
    };
    netqoe_tls::roots_in(path).map_err(unusable)
}

/// The certificates in `ca_file`. The error is a part of a sentence.
pub(super) fn certificates(ca_file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    // As roots first, which finds what is damaged and says where.
    netqoe_tls::roots_in(ca_file).and_then(|_| netqoe_tls::certificates_in(ca_file)).map_err(unusable)
}

fn unusable(FileError { path, reason }: FileError) -> String {
    format!("can't use the certificates in {}: {reason}; see ca_file", path.display())
}

const REMEDIES: Remedies = Remedies {
    untrusted_issuer: "give the certificate of that authority with ca_file",
    other_name: "write a name that is in the certificate, or give the server a certificate for this name",
    client_certificate: "netqoe shows none: let the server ask for none",
    no_tls: "see that the port is right and that the server speaks TLS there",
};

/// What is wrong with TLS, and what to do about it, if that is what an error comes from.
pub(super) fn fault(error: &(dyn Error + 'static)) -> Option<String> {
    Fault::among(error).map(|fault| fault.without_client_certificate().with_remedy(&REMEDIES))
}
