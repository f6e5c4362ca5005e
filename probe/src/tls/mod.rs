//! The TLS phase: a full handshake, with the certificate verified.
//!
//! rustls shakes hands first. Where it and the server have nothing in common, or it does not accept a certificate that
//! OpenSSL might, the second stack does so over a new connection, and that handshake is what is measured.
//!
//! Decision: D-076.

mod certificate;
mod client_auth;
mod p521;
mod roots;
mod second_stack;
mod stream;
mod words;

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, PeerIncompatible, PeerMisbehaved};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock::{Clock, Span};
use crate::{ClientIdentity, Failure, Settings};
pub use certificate::CertificateNames;
use certificate::{Notes, NotingVerifier};
use client_auth::OwnCertificate;
pub(crate) use netqoe_tls::of_tls;
use p521::P521;
pub use roots::{TrustedRoots, trusted_roots};
use second_stack::{Offer, RefusalKind};
pub(crate) use stream::EncryptedStream;
pub(crate) use words::of_io;

/// Sessions that one measurement remembers: those of its two connections.
const SESSIONS: usize = 2;
/// What is spoken over TLS, the preferred first.
pub(crate) const PROTOCOLS: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
const HTTP_2: &[u8] = b"h2";

/// What a handshake has agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsEvidence {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// As IANA names it, or as OpenSSL does where `refused_first` is there. Absent with HTTP/3: what shakes hands there
    /// does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// Whether a session of an earlier connection was gone on with, which saves a round trip or the certificate.
    pub resumed: bool,
    /// What is old about the cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weakness: Option<String>,
    /// What rustls's handshake failed with, where the second stack's succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_first: Option<String>,
}

/// The stack that makes the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    /// The second stack's offer; rustls without.
    offer: Option<Offer>,
    /// What went wrong before that.
    refused_first: Option<String>,
}

/// Why a handshake failed.
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    /// The stack that tries next, over a new connection.
    pub(crate) next: Option<Stack>,
}

/// What the connections of one measurement share. It is new for each, so that nothing of an earlier measurement can
/// shorten a handshake; the second connection may go on with the session of the first.
pub(crate) struct TlsSession {
    roots: Arc<TrustedRoots>,
    identity: Option<ClientIdentity>,
    accepts_any: bool,
    notes: Notes,
    /// Made for the first handshake: many a measurement has none.
    connector: OnceLock<TlsConnector>,
    /// What is offered to speak.
    protocols: &'static [&'static [u8]],
    /// The hosts that needed the second stack, and with which offer. One measurement has few hosts.
    known: Mutex<Vec<(ServerName<'static>, Stack)>>,
    #[cfg(feature = "http3")]
    pub(crate) is_over_quic: bool,
}

impl TlsSession {
    /// Trusts the roots of these settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            roots: Arc::clone(&settings.roots),
            identity: settings.identity.clone(),
            accepts_any: settings.insecure,
            notes: Notes::default(),
            connector: OnceLock::new(),
            protocols: &PROTOCOLS,
            known: Mutex::default(),
            #[cfg(feature = "http3")]
            is_over_quic: settings.http3,
        }
    }

    /// The same for a server that has refused HTTP/2.
    pub(crate) fn over_http1(settings: &Settings) -> Self {
        Self { protocols: &PROTOCOLS[1..], ..Self::new(settings) }
    }

    /// When the first of the certificates expires that the server has shown, in Unix seconds. It is known, too, where
    /// they were refused.
    pub(crate) fn certificate_expires_s(&self) -> Option<i64> {
        self.notes.earliest_expiry_s()
    }

    /// The names in the server's certificate; known, too, where it was refused.
    pub(crate) fn certificate_names(&self) -> Option<CertificateNames> {
        self.notes.names()
    }

    /// What is wrong with a certificate that was accepted nevertheless.
    pub(crate) fn certificate_problem(&self) -> Option<String> {
        self.notes.passed_over().map(|problem| self.notes.words(problem))
    }

    /// The stack that tries `host` first.
    pub(crate) fn stack_for(&self, host: &ServerName<'static>) -> Stack {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(name, _)| name == host).map(|(_, stack)| stack.clone()).unwrap_or_default()
    }

    /// TLS 1.3 or 1.2 over `stream`, and the time that the handshake took.
    pub(crate) async fn handshake(
        &self,
        stack: Stack,
        stream: TcpStream,
        host: &ServerName<'static>,
        clock: Clock,
    ) -> Result<(EncryptedStream, Span, TlsEvidence), Refusal> {
        self.notes.begin();
        let start = clock.now();
        let (stream, evidence) = match stack.offer {
            None => self.first_handshake(stream, host).await?,
            Some(offer) => {
                let shaken = match &self.identity {
                    None => self.roots.second_stack(offer).connect(stream, host, &self.notes).await,
                    // So few servers want both that it is made for each.
                    Some(own) => self.roots.second_stack_with(offer, own).connect(stream, host, &self.notes).await,
                };
                let (stream, evidence) = shaken.map_err(|refusal| next(refusal, offer, &stack, host))?;
                let refused_first = stack.refused_first.clone();
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                if !known.iter().any(|(name, _)| name == host) {
                    known.push((host.clone(), stack));
                }
                (EncryptedStream::second(stream), TlsEvidence { refused_first, ..evidence })
            }
        };
        Ok((stream, clock.since(start), evidence))
    }

    async fn first_handshake(
        &self,
        stream: TcpStream,
        host: &ServerName<'static>,
    ) -> Result<(EncryptedStream, TlsEvidence), Refusal> {
        let connector = self.connector().map_err(|failure| Refusal { failure, next: None })?;
        let shown = self.shown();
        let shaken = connector.connect(host.clone(), stream).await;
        let is_asked = self.notes.asked_for_certificate();
        let stream = shaken.map_err(|error| self.refusal(host, &error, is_asked))?;
        let evidence = evidence(&stream, self.is_resumed(shown));
        Ok((EncryptedStream::first(stream, is_asked), evidence))
    }

    fn refusal(&self, host: &ServerName<'static>, error: &io::Error, is_asked: bool) -> Refusal {
        let (cause, may_do_better) = match self.notes.complaint() {
            Some(complaint) => (self.notes.words(&complaint), may_be_accepted(&complaint)),
            None if is_asked => (stream::refused_without_certificate(), false),
            None => (words::of_io(error), may_have_common(error)),
        };
        let next = may_do_better.then(|| Stack { offer: Some(Offer::Usual), refused_first: Some(cause.clone()) });
        Refusal { failure: failure(host, cause), next }
    }

    /// Why a handshake over QUIC has failed: the certificate, or else what `cause` says.
    #[cfg(feature = "http3")]
    pub(crate) fn failure(&self, host: &ServerName<'static>, cause: impl FnOnce() -> String) -> Failure {
        let complaint = self.notes.complaint();
        failure(host, complaint.map_or_else(cause, |complaint| self.notes.words(&complaint)))
    }

    /// How often the server has shown its certificates so far.
    pub(crate) fn shown(&self) -> usize {
        self.notes.shown()
    }

    /// Whether a handshake went on with an earlier session, since no certificate was shown after `shown_before`.
    pub(crate) fn is_resumed(&self, shown_before: usize) -> bool {
        self.shown() == shown_before
    }

    fn connector(&self) -> Result<&TlsConnector, Failure> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let config = self.client_config();
        let config = config.map_err(|error| Failure::TlsSettings(of_tls(&error)))?;
        Ok(self.connector.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }

    fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = provider();
        let judge = WebPkiServerVerifier::builder_with_provider(Arc::clone(self.roots.store()), Arc::clone(&provider))
            .build()
            .map_err(|_| Error::General("no certificate authority is trusted".to_owned()))?;
        let verifier = NotingVerifier { judge, notes: self.notes.clone(), accepts_any: self.accepts_any };
        let own = self.identity.as_ref().map(|identity| Arc::clone(&identity.0));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            // Not dangerous: every decision is still webpki's, unless it was asked for that it is not.
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(OwnCertificate { own, notes: self.notes.clone() }));
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        config.alpn_protocols = self.protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}

#[cfg(feature = "http3")]
impl TlsSession {
    /// As it is, with another protocol to be spoken. Sessions are remembered in common.
    pub(crate) fn config_for(&self, protocol: &[u8]) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::clone(self.connector()?.config());
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }
}

/// The failure of a handshake.
pub(crate) fn failure(host: &ServerName<'static>, cause: String) -> Failure {
    Failure::Tls { host: host.to_str().into_owned(), cause }
}

/// What follows where the second stack got no further: an offer of everything, so that the message can name what there is.
fn next(refusal: second_stack::Refusal, offer: Offer, stack: &Stack, host: &ServerName<'static>) -> Refusal {
    let first = stack.refused_first.clone();
    let cause = match &first {
        Some(first) if refusal.kind != RefusalKind::Known => first.clone(),
        _ => refusal.cause,
    };
    let next = (offer == Offer::Usual && refusal.kind == RefusalKind::Alert)
        .then_some(Stack { offer: Some(Offer::Everything), refused_first: first });
    Refusal { failure: failure(host, cause), next }
}

/// Whether OpenSSL might judge a certificate otherwise.
fn may_be_accepted(complaint: &CertificateError) -> bool {
    // For one, it compares names of authorities by what they mean, and takes a common name where there is no other.
    !matches!(
        complaint,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
            | CertificateError::Revoked
    )
}

/// Whether a server may have something in common with the second stack.
fn may_have_common(error: &io::Error) -> bool {
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else {
        // Some servers do not say that they have nothing in common: they close.
        return matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
    };
    matches!(
        error,
        Error::AlertReceived(
            AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::IllegalParameter
                | AlertDescription::InternalError
                | AlertDescription::MissingExtension
                | AlertDescription::UnsupportedExtension
                | AlertDescription::DecodeError,
        ) | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::NoCipherSuitesInCommon
                | PeerIncompatible::NoKxGroupsInCommon
                | PeerIncompatible::NoSignatureSchemesInCommon
                | PeerIncompatible::UncompressedEcPointsRequired,
        ) | Error::PeerMisbehaved(
            PeerMisbehaved::SelectedUnofferedCipherSuite | PeerMisbehaved::SignedKxWithWrongAlgorithm,
        )
    )
}

fn evidence(stream: &TlsStream<TcpStream>, resumed: bool) -> TlsEvidence {
    let connection = stream.get_ref().1;
    let version = connection.protocol_version().and_then(|version| version.as_str());
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    TlsEvidence {
        version: version.unwrap_or("unknown").replace('_', "."),
        cipher_suite: suite.map(str::to_owned),
        resumed,
        weakness: None,
        refused_first: None,
    }
}

/// AWS-LC's, with the groups that most servers take first: a share of any other costs bytes or a round trip.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519};
    static P521_GROUP: P521 = P521;
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| {
        let p521: &'static dyn SupportedKxGroup = &P521_GROUP;
        let kx_groups = vec![X25519, SECP256R1, SECP384R1, p521];
        Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
    });
    Arc::clone(provider)
}
