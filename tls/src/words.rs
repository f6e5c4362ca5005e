//! What went wrong with TLS, in plain words: the libraries' texts are for programmers.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible};

use crate::Cause;

/// Names of a certificate that a message holds: some have hundreds.
pub const MAX_NAMES: usize = 3;
/// What netqoe speaks.
const SPOKEN: &str = "TLS 1.2 and TLS 1.3";

/// What ended a handshake, or a connection afterwards.
pub fn of_io(error: &io::Error) -> String {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|error| error.downcast_ref::<Error>()) {
        return of_tls(error);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it closed the connection during the handshake".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            "it reset the connection".to_owned()
        }
        _ => error.to_string(),
    }
}

/// What rustls says.
pub fn of_tls(error: &Error) -> String {
    let words = match error {
        Error::InvalidCertificate(error) => return of_certificate(error),
        Error::AlertReceived(alert) => return of_alert(*alert),
        Error::InvalidMessage(error) => return of_message(error),
        Error::PeerIncompatible(error) => return of_difference(error),
        Error::General(text) => return format!("this program's own settings are at fault: {text}"),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "it sent a TLS message out of turn"
        }
        Error::PeerMisbehaved(_) => "it does not keep to the rules of TLS",
        Error::NoCertificatesPresented => "it showed no certificate",
        Error::UnsupportedNameType => "no certificate can name this host",
        Error::DecryptError => "what it sent can't be decrypted",
        Error::PeerSentOversizedRecord => "it sent a record that is longer than TLS allows",
        Error::NoApplicationProtocol => "it speaks neither HTTP/2 nor HTTP/1.1",
        Error::FailedToGetCurrentTime => "this machine's clock can't be read",
        Error::FailedToGetRandomBytes => "this machine gives no random numbers",
        Error::InvalidEncryptedClientHello(_) => "it refused the encrypted greeting",
        Error::InvalidCertRevocationList(_) => "a list of revoked certificates can't be read",
        _ => "the handshake failed within this program",
    };
    words.to_owned()
}

fn of_alert(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it refused the handshake: no cipher suite, key exchange or signature in common with netqoe"
        }
        AlertDescription::ProtocolVersion => {
            return format!("it speaks neither {}", SPOKEN.replace(" and ", " nor "));
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => "it requires a client certificate",
        AlertDescription::UnrecognisedName => "it does not know this name",
        AlertDescription::NoApplicationProtocol => "it speaks neither HTTP/2 nor HTTP/1.1",
        AlertDescription::InternalError => "it had an error of its own during the handshake",
        AlertDescription::AccessDenied => "it denies access",
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked => "it does not accept the client's certificate",
        AlertDescription::CloseNotify | AlertDescription::UserCanceled => "it ended the handshake",
        AlertDescription::NoRenegotiation => "it ended the connection, since it may not negotiate anew",
        other => return format!("it refused the handshake with TLS alert {}", u8::from(other)),
    };
    words.to_owned()
}

fn of_message(error: &InvalidMessage) -> String {
    match error {
        InvalidMessage::InvalidContentType
        | InvalidMessage::UnknownProtocolVersion
        | InvalidMessage::InvalidEmptyPayload
        | InvalidMessage::MessageTooLarge => "it does not speak TLS".to_owned(),
        InvalidMessage::CertificatePayloadTooLarge | InvalidMessage::HandshakePayloadTooLarge => {
            "it sent a message of the handshake that is longer than 64 KiB".to_owned()
        }
        _ => "it sent a TLS message that can't be read".to_owned(),
    }
}

fn of_difference(error: &PeerIncompatible) -> String {
    match error {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired => {
            format!("it speaks neither {}", SPOKEN.replace(" and ", " nor "))
        }
        _ => "it chose what was not offered: no cipher suite, key exchange or signature in common".to_owned(),
    }
}

/// What is wrong with a certificate.
pub fn of_certificate(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::Expired => "its certificate has expired",
        CertificateError::ExpiredContext { time, not_after } => {
            let days = time.as_secs().saturating_sub(not_after.as_secs()) / (24 * 60 * 60);
            return format!("its certificate expired {days} days ago");
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check this machine's clock"
        }
        CertificateError::NotValidForName => return other_name(&[]),
        CertificateError::NotValidForNameContext { presented, .. } => return other_name(presented),
        // The second is an authority that only has the name of one that is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is self-signed, or signed by an authority that is not trusted"
        }
        CertificateError::BadEncoding => "its certificate can't be read",
        CertificateError::Revoked => "its certificate was revoked",
        CertificateError::UnhandledCriticalExtension => "its certificate has a critical extension that is not known",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate, or an authority's, is not meant for servers"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its certificate has a signature of a kind that is not accepted"
        }
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::InvalidOcspResponse => "nobody says whether its certificate was revoked",
        CertificateError::Other(other) => {
            return other.0.downcast_ref::<webpki::Error>().map_or(REFUSED, of_webpki).to_owned();
        }
        _ => REFUSED,
    };
    words.to_owned()
}

/// Whether nobody who is trusted has signed a certificate: it is self-signed, or of an unknown authority.
pub fn is_untrusted(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => true,
        CertificateError::Other(other) => of_webpki_cause(other) == Some(Cause::AuthoritysOwn),
        _ => false,
    }
}

/// What is wrong with a certificate that does not name the requested host.
pub fn other_name(presented: &[String]) -> String {
    let some = presented.iter().take(MAX_NAMES).map(|name| plain_name(name)).collect::<Vec<_>>();
    match some.as_slice() {
        [] => "its certificate is for another name".to_owned(),
        some => format!("its certificate is for another name: {}", some.join(", ")),
    }
}

/// rustls writes names as `DnsName("…")`, `IpAddress(…)`.
fn plain_name(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    inner.trim_matches('"')
}

/// What is to be done about what webpki says, where that has a place of its own.
pub(crate) fn of_webpki_cause(error: &OtherError) -> Option<Cause> {
    match error.0.downcast_ref()? {
        webpki::Error::CaUsedAsEndEntity => Some(Cause::AuthoritysOwn),
        webpki::Error::EndEntityUsedAsCa => Some(Cause::UntrustedIssuer),
        _ => None,
    }
}

const REFUSED: &str = "its certificate is not accepted";

fn of_webpki(error: &webpki::Error) -> &'static str {
    use webpki::Error::{
        BadDerTime, CaUsedAsEndEntity, EndEntityUsedAsCa, InvalidCertValidity,
        MaximumNameConstraintComparisonsExceeded, MaximumPathBuildCallsExceeded, MaximumPathDepthExceeded,
        MaximumSignatureChecksExceeded, NameConstraintViolation, PathLenConstraintViolated, UnsupportedCertVersion,
    };
    match error {
        CaUsedAsEndEntity => "its certificate is an authority's own, and no server's",
        EndEntityUsedAsCa => "its certificate is signed by a certificate that is not an authority's",
        MaximumPathDepthExceeded | MaximumPathBuildCallsExceeded | MaximumSignatureChecksExceeded => {
            "it has more certificates between its own and a trusted authority than are followed"
        }
        MaximumNameConstraintComparisonsExceeded => "its certificates have more names than are compared",
        NameConstraintViolation => "its certificate has a name for which its authority may not sign",
        PathLenConstraintViolated => "an authority of its certificate may not have another under it",
        UnsupportedCertVersion => "its certificate is not of X.509 version 3",
        InvalidCertValidity | BadDerTime => "its certificate has no valid time",
        webpki::Error::CertDistrusted => "the authority of its certificate is no longer trusted",
        _ => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rustls::pki_types::UnixTime;
    use rustls::{ContentType, HandshakeType, OtherError, PeerMisbehaved};

    use super::*;

    fn time(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    fn webpki_errors() -> Vec<webpki::Error> {
        use webpki::Error::*;
        vec![
            BadDer,
            BadDerTime,
            CaUsedAsEndEntity,
            CertDistrusted,
            CertRevoked,
            EmptyEkuExtension,
            EndEntityUsedAsCa,
            ExtensionValueInvalid,
            InvalidCertValidity,
            InvalidCrlNumber,
            InvalidNetworkMaskConstraint,
            InvalidSerialNumber,
            InvalidCrlSignatureForPublicKey,
            InvalidSignatureForPublicKey,
            IssuerNotCrlSigner,
            MalformedDnsIdentifier,
            MalformedExtensions,
            MalformedNameConstraint,
            MaximumNameConstraintComparisonsExceeded,
            MaximumPathBuildCallsExceeded,
            MaximumPathDepthExceeded,
            MaximumSignatureChecksExceeded,
            NameConstraintViolation,
            PathLenConstraintViolated,
            SignatureAlgorithmMismatch,
            UnknownIssuer,
            UnknownRevocationStatus,
            UnsupportedCertVersion,
            UnsupportedCriticalExtension,
            UnsupportedNameType,
        ]
    }

    fn certificate_errors() -> Vec<CertificateError> {
        use CertificateError::*;
        let others = webpki_errors().into_iter().map(|error| Other(OtherError(Arc::new(error))));
        let named = ["DnsName(\"a.test\")", "IpAddress(127.0.0.1)", "b.test"].map(str::to_owned).to_vec();
        let own = vec![
            BadEncoding,
            Expired,
            ExpiredContext { time: time(90_000), not_after: time(1) },
            NotValidYet,
            NotValidYetContext { time: time(1), not_before: time(2) },
            Revoked,
            UnhandledCriticalExtension,
            UnknownIssuer,
            UnknownRevocationStatus,
            ExpiredRevocationList,
            ExpiredRevocationListContext { time: time(2), next_update: time(1) },
            BadSignature,
            UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![6, 8],
                supported_algorithms: Vec::new(),
            },
            UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![6, 8],
                public_key_algorithm_id: vec![6],
            },
            NotValidForName,
            NotValidForNameContext { expected: "web.test".try_into().unwrap(), presented: named },
            InvalidPurpose,
            InvalidOcspResponse,
            ApplicationVerificationFailure,
            Other(OtherError(Arc::new(io::Error::other("Odd(Error)")))),
        ];
        own.into_iter().chain(others).collect()
    }

    fn errors() -> Vec<Error> {
        let alerts = (0..=255).map(|code| Error::AlertReceived(AlertDescription::from(code)));
        let messages = [
            InvalidMessage::InvalidContentType,
            InvalidMessage::HandshakePayloadTooLarge,
            InvalidMessage::CertificatePayloadTooLarge,
            InvalidMessage::MissingData("CertificateEntry"),
            InvalidMessage::TrailingData("CertificateEntry"),
            InvalidMessage::UnexpectedMessage("Alert"),
            InvalidMessage::DuplicateExtension(7),
        ];
        let differences = [
            PeerIncompatible::ServerDoesNotSupportTls12Or13,
            PeerIncompatible::NoCipherSuitesInCommon,
            PeerIncompatible::NullCompressionRequired,
        ];
        let own = [
            Error::InappropriateMessage { expect_types: vec![ContentType::Alert], got_type: ContentType::Handshake },
            Error::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::ServerHello],
                got_type: HandshakeType::Finished,
            },
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare),
            Error::General("no certificate authority is trusted".to_owned()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::Other(OtherError(Arc::new(io::Error::other("Odd(Error)")))),
        ];
        let certificates = certificate_errors().into_iter().map(Error::InvalidCertificate);
        let messages = messages.into_iter().map(Error::InvalidMessage);
        let differences = differences.into_iter().map(Error::PeerIncompatible);
        alerts.chain(certificates).chain(messages).chain(differences).chain(own).collect()
    }

    #[test]
    fn no_message_holds_what_is_for_programmers() {
        for error in errors() {
            for words in [of_tls(&error), of_io(&io::Error::new(io::ErrorKind::InvalidData, error.clone()))] {
                let has_type =
                    words.contains(['{', '(', '[', '"', '_']) || words.contains("Error") || words.contains("::");
                assert!(!has_type && !words.is_empty(), "{words} for {error:?}");
                // A word with capitals inside is a variant's name.
                let is_plain = |word: &str| {
                    ["TLS", "HTTP/2", "HTTP/1.1", "X.509", "KiB"].contains(&word)
                        || word.chars().skip(1).all(|letter| !letter.is_uppercase())
                };
                assert!(words.split([' ', ';', ',', ':']).all(is_plain), "{words} for {error:?}");
            }
        }
    }

    #[test]
    fn names_are_told_without_their_type() {
        let presented = ["DnsName(\"a.test\")", "IpAddress(127.0.0.1)", "b.test", "c.test"].map(str::to_owned);
        assert_eq!(other_name(&presented), "its certificate is for another name: a.test, 127.0.0.1, b.test");
    }
}
