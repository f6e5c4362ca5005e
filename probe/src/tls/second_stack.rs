//! The second TLS stack, s2n-tls, for servers that rustls can't talk to: CBC, key exchange with RSA or DHE. It judges
//! certificates as OpenSSL does (AWS-LC has its code), and so as most programs of a machine do.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netqoe_tls::{MAX_NAMES, other_name};
use rustls::pki_types::{CertificateDer, ServerName};
use s2n_tls::callbacks::VerifyHostNameCallback;
use s2n_tls::config::Config;
use s2n_tls::connection::{Builder, Connection};
use s2n_tls::enums::{AlertBehavior, ClientAuthType, HashAlgorithm, Mode, Version};
use s2n_tls::error::{Error, ErrorType};
use s2n_tls::security::Policy;
use s2n_tls_tokio::{TlsConnector, TlsStream};
use tokio::net::TcpStream;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::certificate::Notes;
use super::{PROTOCOLS, TlsEvidence};
use crate::ClientIdentity;

/// Certificates of a server, and between it and a trusted one: a few in practice, and a handshake message holds no more
/// than 64 KiB.
const MAX_CERTIFICATES: u16 = 64;
/// Below these, OpenSSL and browsers refuse a key, too.
const MIN_RSA_BITS: usize = 2048;

/// What is offered to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// TLS 1.0 to 1.3, AES with GCM and CBC, ECDHE, DHE and RSA, the better first. What is too old is found out, and not used.
    Usual,
    /// All that there is, also what nobody should use, so that a message can name it.
    Everything,
}

impl Offer {
    fn policy(self) -> &'static str {
        match self {
            Self::Usual => "20210825",
            Self::Everything => "test_all",
        }
    }
}

/// Ready to connect.
pub(super) struct SecondStack(Result<Config, String>);

/// What a connection of the second stack is.
pub(super) type SecondStream = TlsStream<TcpStream, Connection>;

impl SecondStack {
    /// Trusts these certificates.
    pub(super) fn new(offer: Offer, trusted: &[CertificateDer<'_>], own: Option<&ClientIdentity>) -> Self {
        Self(config(offer, trusted, own).map_err(|error| words(&error)))
    }

    /// Shakes hands, and leaves again where that led to nothing that is to be spoken.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        host: &ServerName<'static>,
        notes: &Notes,
    ) -> Result<(SecondStream, TlsEvidence), Refusal> {
        let config = self.0.clone().map_err(|cause| Refusal { cause, kind: RefusalKind::Known })?;
        let names = Names::for_host(host);
        let connector = TlsConnector::new(Client { config, names: names.clone() });
        // There is no name to send where the host is an address.
        let name = if matches!(host, ServerName::DnsName(_)) { host.to_str() } else { "".into() };
        let shaken = connector.connect(&name, stream).await;
        let stream = shaken.map_err(|error| Refusal::of(&error, &names))?;
        let connection = stream.as_ref();
        let certificates = certificates(connection);
        notes.note(certificates.iter());
        acceptable(connection, &certificates).map_err(|cause| Refusal { cause, kind: RefusalKind::Known })?;
        let evidence = evidence(connection);
        Ok((stream, evidence))
    }
}

/// Why the second stack has no connection.
pub(super) struct Refusal {
    pub(super) cause: String,
    pub(super) kind: RefusalKind,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// The server sent an alert: it does not speak what was offered, perhaps.
    Alert,
    /// The server broke off.
    Closed,
    /// AWS-LC found no way to a trusted authority, and does not say why.
    Untrusted,
    /// The cause is all that there is to say.
    Known,
}

impl Refusal {
    fn of(error: &Error, names: &Names) -> Self {
        let kind = match error.kind() {
            ErrorType::Alert => RefusalKind::Alert,
            ErrorType::ConnectionClosed | ErrorType::IOError => RefusalKind::Closed,
            _ if error.name() == "S2N_ERR_CERT_UNTRUSTED" => RefusalKind::Untrusted,
            _ if error.name() == "S2N_ERR_BAD_MESSAGE" => RefusalKind::Alert,
            _ => RefusalKind::Known,
        };
        let cause =
            if error.name() == "S2N_ERR_CERT_INVALID_HOSTNAME" { other_name(&names.presented()) } else { words(error) };
        Self { cause, kind }
    }
}

fn config(offer: Offer, trusted: &[CertificateDer<'_>], own: Option<&ClientIdentity>) -> Result<Config, Error> {
    let mut builder = s2n_tls::config::Builder::new();
    builder.with_system_certs(false)?;
    builder.set_security_policy(&Policy::from_version(offer.policy())?)?;
    builder.set_application_protocol_preference(PROTOCOLS)?;
    builder.set_alert_behavior(AlertBehavior::IgnoreWarnings)?;
    builder.set_client_auth_type(ClientAuthType::Optional)?;
    builder.set_max_cert_chain_depth(MAX_CERTIFICATES)?;
    // Against servers that learn something from the time an error takes; a probe has no secret that is worth it.
    builder.set_max_blinding_delay(0)?;
    if let Some(own) = own {
        let chain = own.0.cert.iter().map(|certificate| pem(certificate)).collect::<String>();
        builder.load_pem(chain.as_bytes(), own.key_pem())?;
    }
    for certificate in trusted {
        if let Err(error) = builder.trust_pem(pem(certificate).as_bytes()) {
            tracing::debug!("the second TLS stack does not take a trusted certificate: {}", error.message());
        }
    }
    builder.build()
}

fn pem(certificate: &[u8]) -> String {
    let lines = STANDARD.encode(certificate).into_bytes();
    let lines = lines.chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Makes connections to one host.
#[derive(Clone)]
struct Client {
    config: Config,
    names: Names,
}

impl Builder for Client {
    type Output = Connection;

    fn build_connection(&self, mode: Mode) -> Result<Connection, Error> {
        let mut connection = self.config.build_connection(mode)?;
        connection.set_verify_host_callback(self.names.clone())?;
        Ok(connection)
    }
}

/// The host as it was asked for, and the first names that its certificate has instead.
#[derive(Clone)]
struct Names {
    host: String,
    address: Option<IpAddr>,
    presented: Arc<Mutex<Vec<String>>>,
}

impl Names {
    fn for_host(host: &ServerName<'static>) -> Self {
        let host = host.to_str().into_owned();
        Self { address: host.parse().ok(), host, presented: Arc::default() }
    }

    fn presented(&self) -> Vec<String> {
        self.presented.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl VerifyHostNameCallback for Names {
    fn verify_host_name(&self, presented: &str) -> bool {
        let is_host = match self.address {
            Some(address) => presented.parse() == Ok(address),
            None => names(presented, &self.host),
        };
        let mut known = self.presented.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_host && !presented.is_empty() && known.len() < MAX_NAMES {
            known.push(presented.escape_debug().collect());
        }
        is_host
    }
}

/// Whether a name of a certificate names `host`. A `*` stands for the whole first label, with two more after it at least.
fn names(presented: &str, host: &str) -> bool {
    let (presented, host) = (presented.trim_end_matches('.'), host.trim_end_matches('.'));
    if let Some(domain) = presented.strip_prefix("*.") {
        let rest = host.split_once('.').map_or("", |(label, rest)| if label.is_empty() { "" } else { rest });
        return domain.contains('.') && rest.eq_ignore_ascii_case(domain);
    }
    !host.is_empty() && presented.eq_ignore_ascii_case(host)
}

fn certificates(connection: &Connection) -> Vec<Vec<u8>> {
    let Ok(chain) = connection.peer_cert_chain() else { return Vec::new() };
    let certificates = chain.iter().filter_map(|certificate| Some(certificate.ok()?.der().ok()?.to_vec()));
    certificates.collect()
}

/// Whether what was agreed on is to be spoken: what curl with OpenSSL, and browsers, speak.
fn acceptable(connection: &Connection, certificates: &[Vec<u8>]) -> Result<(), String> {
    let version = connection.actual_protocol_version().ok();
    if let Some(version @ (Version::SSLV2 | Version::SSLV3 | Version::TLS10 | Version::TLS11)) = version {
        return Err(format!("it only offers {}; not spoken", version_name(version)));
    }
    let suite = connection.cipher_suite().unwrap_or_default();
    let old = [("RC4", "RC4"), ("DES-", "3DES"), ("DES_", "3DES"), ("NULL", "no encryption")];
    if let Some((_, name)) = old.iter().find(|(part, _)| suite.contains(part)) {
        return Err(format!("it only offers {name}; not spoken"));
    }
    let has_signature = version == Some(Version::TLS12) && is_ephemeral(suite);
    if has_signature && matches!(connection.selected_hash_algorithm(), Ok(HashAlgorithm::SHA1 | HashAlgorithm::MD5)) {
        return Err("it signs its key exchange with SHA-1 only; not accepted".to_owned());
    }
    weak_certificate(certificates).map_or(Ok(()), |cause| Err(cause.to_owned()))
}

/// Why a chain is not accepted although its signatures are right.
fn weak_certificate(certificates: &[Vec<u8>]) -> Option<&'static str> {
    certificates.iter().filter_map(|der| X509Certificate::from_der(der).ok()).find_map(|(_, certificate)| {
        let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
        let is_self_signed = certificate.subject() == certificate.issuer();
        // sha1WithRSAEncryption, ecdsa-with-SHA1, md5WithRSAEncryption. Nobody looks at a self-made signature.
        let is_old = ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.113549.1.1.4"].contains(&&*algorithm);
        if is_old && !is_self_signed {
            return Some("its certificate is signed with SHA-1 or MD5; not accepted");
        }
        match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(key)) if key.key_size() < MIN_RSA_BITS => {
                Some("its certificate has an RSA key of less than 2048 bits; not accepted")
            }
            _ => None,
        }
    })
}

fn evidence(connection: &Connection) -> TlsEvidence {
    let suite = connection.cipher_suite().unwrap_or_default();
    let version = connection.actual_protocol_version();
    TlsEvidence {
        version: version.map_or("unknown", version_name).replace(' ', "v"),
        cipher_suite: Some(suite.to_owned()),
        resumed: false,
        weakness: weakness(suite),
        refused_first: None,
    }
}

fn version_name(version: Version) -> &'static str {
    match version {
        Version::SSLV2 => "SSL 2",
        Version::SSLV3 => "SSL 3",
        Version::TLS10 => "TLS 1.0",
        Version::TLS11 => "TLS 1.1",
        Version::TLS12 => "TLS 1.2",
        Version::TLS13 => "TLS 1.3",
        _ => "an unknown version",
    }
}

/// Whether keys are made for each connection, so that they can't be found out later.
fn is_ephemeral(suite: &str) -> bool {
    ["ECDHE-", "DHE-", "TLS_"].iter().any(|start| suite.starts_with(start))
}

/// What is old about a cipher suite, by the name that OpenSSL gives it.
fn weakness(suite: &str) -> Option<String> {
    let has_cbc = !["GCM", "CHACHA20", "CCM", "TLS_"].iter().any(|part| suite.contains(part));
    let weak = [(!is_ephemeral(suite)).then_some("RSA key exchange"), has_cbc.then_some("CBC")];
    let weak = weak.into_iter().flatten().collect::<Vec<_>>();
    (!weak.is_empty()).then(|| weak.join(", "))
}

/// What s2n-tls says.
pub(super) fn words(error: &Error) -> String {
    let words = match error.name() {
        "S2N_ERR_CERT_UNTRUSTED" => "its certificate is self-signed, or signed by an authority that is not trusted",
        "S2N_ERR_CERT_EXPIRED" => "its certificate has expired",
        "S2N_ERR_CERT_NOT_YET_VALID" => "its certificate is not valid yet; check this machine's clock",
        "S2N_ERR_CERT_INVALID_HOSTNAME" => "its certificate is for another name",
        "S2N_ERR_CERT_MAX_CHAIN_DEPTH_EXCEEDED" => "it shows more certificates than are followed",
        "S2N_ERR_CERT_INTENT_INVALID" => "its certificate, or an authority's, is not meant for servers",
        "S2N_ERR_CERT_UNHANDLED_CRITICAL_EXTENSION" => "its certificate has a critical extension that is not known",
        "S2N_ERR_CERT_TYPE_UNSUPPORTED" | "S2N_ERR_DECODE_CERTIFICATE" => "its certificate can't be read",
        _ => match error.kind() {
            ErrorType::Alert => "it refused the handshake: no version, cipher suite or key exchange in common",
            ErrorType::ConnectionClosed => "it closed the connection during the handshake",
            ErrorType::IOError => "it reset the connection",
            ErrorType::ProtocolError => "it does not keep to the rules of TLS",
            _ => "the handshake failed within this program",
        },
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_curl_takes_them() {
        for (presented, host, expected) in [
            ("web.test", "web.test", true),
            ("WEB.test.", "web.TEST", true),
            ("web.test", "other.web.test", false),
            ("*.web.test", "a_b.web.test", true),
            ("*.web.test", "web.test", false),
            ("*.web.test", "a.b.web.test", false),
            ("*.web.test", ".web.test", false),
            ("*.test", "web.test", false),
            ("w*.web.test", "www.web.test", false),
            ("a_b.test", "a_b.test", true),
            ("", "", false),
            ("*", "test", false),
        ] {
            assert_eq!(names(presented, host), expected, "{presented} for {host}");
        }
    }

    #[test]
    fn an_address_is_named_by_any_way_to_write_it() {
        let names = Names::for_host(&"::1".try_into().unwrap());
        assert!(names.verify_host_name("0:0::1"));
        assert!(!names.verify_host_name("127.0.0.1") && !names.verify_host_name("*"));
        assert_eq!(names.presented(), ["127.0.0.1", "*"]);
    }

    #[test]
    fn what_is_old_about_a_suite() {
        assert_eq!(weakness("ECDHE-RSA-AES256-SHA384").unwrap(), "CBC");
        assert_eq!(weakness("AES128-SHA").unwrap(), "RSA key exchange, CBC");
        assert_eq!(weakness("AES256-GCM-SHA384").unwrap(), "RSA key exchange");
        for suite in ["ECDHE-ECDSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "TLS_AES_128_GCM_SHA256"] {
            assert_eq!(weakness(suite), None, "{suite}");
        }
    }

    #[test]
    fn both_offers_exist() {
        for offer in [Offer::Usual, Offer::Everything] {
            assert!(config(offer, webpki_root_certs::TLS_SERVER_ROOT_CERTS, None).is_ok(), "{offer:?}");
        }
    }
}
