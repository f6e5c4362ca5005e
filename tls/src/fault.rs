//! What is wrong with a connection to a server of the user's own, and what to do about it.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use crate::words::{of_tls, of_webpki_cause};

/// Who can do something about a fault, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The certificate is self-signed, or signed by an authority that is not trusted.
    UntrustedIssuer,
    /// The server shows the certificate of an authority.
    AuthoritysOwn,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another host.
    OtherName,
    /// Anything else about the certificate.
    Certificate,
    /// The server wants a client certificate, or not the one it was shown.
    ClientCertificate,
    /// What answers does not speak TLS.
    NoTls,
    /// There is no version of TLS, or no cipher suite, in common.
    NothingInCommon,
    /// Anything else.
    Handshake,
}

/// A fault of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who can do something about it.
    pub cause: Cause,
    /// What is wrong: a part of a sentence whose subject is the server.
    pub words: String,
}

/// What to do where that depends on the connection: parts of a sentence.
#[derive(Clone, Copy, Debug)]
pub struct Remedies {
    /// To trust the certificate's issuer.
    pub untrusted_issuer: &'static str,
    /// To reach the server by a name that is in the certificate.
    pub other_name: &'static str,
    /// To satisfy a server that asks for a client certificate.
    pub client_certificate: &'static str,
    /// To connect to a server without TLS.
    pub no_tls: &'static str,
}

impl Fault {
    /// The fault of TLS among an error and its causes, if there is one.
    pub fn among(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            // An I/O error is not the source of what it was made from.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let inner = inner.and_then(|inner| inner.downcast_ref());
            if let Some(error) = error.downcast_ref::<Error>().or(inner) {
                return Some(Self { cause: Cause::of(error), words: of_tls(error) });
            }
            next = error.source();
        }
        None
    }

    /// The server answers, without TLS.
    pub fn no_tls() -> Self {
        Self { cause: Cause::NoTls, words: "it does not speak TLS".to_owned() }
    }

    /// The same of a server that was shown no client certificate: what it says of one means that it requires one.
    #[must_use]
    pub fn without_client_certificate(self) -> Self {
        match self.cause {
            Cause::ClientCertificate => Self { words: "it requires a client certificate".to_owned(), ..self },
            _ => self,
        }
    }

    /// What is wrong and what to do.
    pub fn with_remedy(&self, remedies: &Remedies) -> String {
        let remedy = match self.cause {
            Cause::UntrustedIssuer => remedies.untrusted_issuer,
            Cause::OtherName => remedies.other_name,
            Cause::ClientCertificate => remedies.client_certificate,
            Cause::NoTls => remedies.no_tls,
            // What `openssl req -x509` makes counts as an authority, and it is what most people make first.
            Cause::AuthoritysOwn => {
                "give the server a certificate that an authority has signed, or a self-signed one that was made with \
                 basicConstraints=CA:FALSE"
            }
            Cause::Expired => "renew the server's certificate, or set this machine's clock if it is wrong",
            // The words say it: for the probe, too, its own clock is what it can't judge.
            Cause::NotYetValid => return self.words.clone(),
            Cause::Certificate => "give the server another certificate",
            Cause::NothingInCommon => "allow TLS 1.2 or TLS 1.3 with ECDHE at the server",
            Cause::Handshake => "see the server's log",
        };
        format!("{}; {remedy}", self.words)
    }
}

impl Cause {
    fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::NoCertificatesPresented => Self::Certificate,
            Error::UnsupportedNameType => Self::OtherName,
            Error::AlertReceived(alert) => Self::of_alert(*alert),
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::InvalidEmptyPayload
                | InvalidMessage::MessageTooLarge,
            ) => Self::NoTls,
            Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(_)) => Self::Handshake,
            Error::PeerIncompatible(_) => Self::NothingInCommon,
            _ => Self::Handshake,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UntrustedIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::Other(other) => of_webpki_cause(other).unwrap_or(Self::Certificate),
            _ => Self::Certificate,
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked => Self::ClientCertificate,
            AlertDescription::UnrecognisedName => Self::OtherName,
            AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity
            | AlertDescription::ProtocolVersion => Self::NothingInCommon,
            _ => Self::Handshake,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rustls::OtherError;
    use rustls::pki_types::UnixTime;

    use super::*;

    const REMEDIES: Remedies =
        Remedies { untrusted_issuer: "trust", other_name: "rename", client_certificate: "show", no_tls: "plain" };

    /// The message of a connection that failed of this.
    #[track_caller]
    fn check(error: Error, expected: &str) {
        let error = io::Error::new(io::ErrorKind::InvalidData, error);
        assert_eq!(Fault::among(&error).map(|fault| fault.with_remedy(&REMEDIES)).as_deref(), Some(expected));
    }

    #[test]
    fn each_fault_has_its_words_and_its_remedy() {
        let certificate = Error::InvalidCertificate;
        let of_webpki = |error: webpki::Error| certificate(CertificateError::Other(OtherError(Arc::new(error))));
        let day = |day: u64| UnixTime::since_unix_epoch(Duration::from_secs(day * 86_400));
        let named = vec!["DnsName(\"a.test\")".to_owned()];
        let other_name =
            CertificateError::NotValidForNameContext { expected: "b.test".try_into().unwrap(), presented: named };
        let untrusted = "its certificate is self-signed, or signed by an authority that is not trusted; trust";
        let renew = "renew the server's certificate, or set this machine's clock if it is wrong";
        check(certificate(CertificateError::UnknownIssuer), untrusted);
        check(certificate(CertificateError::BadSignature), untrusted);
        check(
            certificate(CertificateError::ExpiredContext { time: day(9), not_after: day(7) }),
            &format!("its certificate expired 2 days ago; {renew}"),
        );
        check(certificate(CertificateError::Expired), &format!("its certificate has expired; {renew}"));
        check(
            certificate(CertificateError::NotValidYet),
            "its certificate is not valid yet; check this machine's clock",
        );
        check(certificate(other_name), "its certificate is for another name: a.test; rename");
        check(
            of_webpki(webpki::Error::CaUsedAsEndEntity),
            "its certificate is an authority's own, and no server's; give the server a certificate that an authority has \
             signed, or a self-signed one that was made with basicConstraints=CA:FALSE",
        );
        check(
            of_webpki(webpki::Error::EndEntityUsedAsCa),
            "its certificate is signed by a certificate that is not an authority's; trust",
        );
        let another = "give the server another certificate";
        check(certificate(CertificateError::Revoked), &format!("its certificate was revoked; {another}"));
        check(certificate(CertificateError::BadEncoding), &format!("its certificate can't be read; {another}"));
        for alert in [AlertDescription::CertificateRequired, AlertDescription::NoCertificate] {
            check(Error::AlertReceived(alert), "it requires a client certificate; show");
        }
        check(Error::AlertReceived(AlertDescription::UnknownCA), "it does not accept the client's certificate; show");
        check(
            Error::AlertReceived(AlertDescription::ProtocolVersion),
            "it speaks neither TLS 1.2 nor TLS 1.3; allow TLS 1.2 or TLS 1.3 with ECDHE at the server",
        );
        check(Error::InvalidMessage(InvalidMessage::InvalidContentType), "it does not speak TLS; plain");
        check(Error::DecryptError, "what it sent can't be decrypted; see the server's log");
        let refused = Error::AlertReceived(AlertDescription::BadCertificate);
        let required = Fault::among(&refused).unwrap().without_client_certificate();
        assert_eq!(required.with_remedy(&REMEDIES), "it requires a client certificate; show");
        assert_eq!(Fault::no_tls().with_remedy(&REMEDIES), "it does not speak TLS; plain");
    }

    #[test]
    fn an_error_that_is_not_of_tls_is_none() {
        assert_eq!(Fault::among(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
    }
}
