//! What is said of targets beside their URL, in the same words by options and in files: [`TargetWords`] are what is written, [`OwnSettings`] what
//! follows from it once the files are read that it names.

mod own;
#[cfg(test)]
mod tests;
mod written;

use std::path::PathBuf;
use std::time::Duration;

use ::http::Method;

use crate::{Check, Expectations, Family, Proxy, RequestHeader, Target, ThroughputObject};
pub use own::{ClientIdentity, OwnSettings};
pub(crate) use written::Fields;
pub use written::ListedTarget;

/// What is said of a target. A file may hold a secret, and is named; what is said itself is not secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetWords {
    /// `timeout`
    pub timeout: Option<Duration>,
    /// `ipv4` and `ipv6`: the only family of addresses.
    pub only: Option<Family>,
    /// `throughput_url`: the object, or that there is none.
    pub throughput: Option<Option<ThroughputObject>>,
    /// `stay_on_host`
    pub stay_on_host: Option<bool>,
    /// `expect_status`, `expect_text`, `expect_header`, `expect_certificate_days`
    pub expectations: Expectations,
    /// `method`
    pub method: Option<Method>,
    /// `header`
    pub headers: Vec<RequestHeader>,
    /// `body`
    pub body: Option<String>,
    /// `user`, with `password_file`
    pub user: Option<String>,
    /// `password_file`
    pub password_file: Option<PathBuf>,
    /// `bearer_token_file`
    pub bearer_token_file: Option<PathBuf>,
    /// `client_certificate`
    pub client_certificate: Option<PathBuf>,
    /// `client_key`
    pub client_key: Option<PathBuf>,
    /// `ca_file`
    pub ca_file: Option<PathBuf>,
    /// `insecure`
    pub insecure: bool,
    /// `proxy`
    pub proxy: Option<Proxy>,
}

/// What is wrong with one word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {cause}")]
pub struct InvalidWord {
    /// Which: as files write it, with `_`.
    pub key: &'static str,
    /// What is wrong.
    pub cause: String,
}

impl InvalidWord {
    fn new(key: &'static str, cause: impl Into<String>) -> Self {
        Self { key, cause: cause.into() }
    }
}

impl TargetWords {
    /// Whether all of it can be said of `target`, and at once.
    ///
    /// # Errors
    /// The first word that does not fit.
    pub fn check(&self, target: &Target) -> Result<(), InvalidWord> {
        self.check_together()?;
        let is_expiry_expected = self.expectations.certificate_days.is_some();
        match (target.check(), self.of_pages()) {
            // The other words about TLS are for a redirect.
            (Check::Web(page), _) if !page.is_https() && is_expiry_expected => {
                let cause = "it is about https://, and this target begins with http://";
                Err(InvalidWord::new("expect_certificate_days", cause))
            }
            (Check::Web(_), _) | (_, None) => Ok(()),
            (_, Some(key)) => Err(InvalidWord::new(key, "it is about pages, and this target is none")),
        }
    }

    /// Whether the words fit together.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check_together(&self) -> Result<(), InvalidWord> {
        let needs = |key, other: &str| Err(InvalidWord::new(key, format!("it needs {other} beside it")));
        let is_authorized = self.headers.iter().any(RequestHeader::is_authorization);
        match self {
            Self { user: Some(_), password_file: None, .. } => needs("user", "password_file"),
            Self { user: None, password_file: Some(_), .. } => needs("password_file", "user"),
            Self { client_certificate: Some(_), client_key: None, .. } => needs("client_certificate", "client_key"),
            Self { client_certificate: None, client_key: Some(_), .. } => needs("client_key", "client_certificate"),
            Self { user: Some(_), bearer_token_file: Some(_), .. } => {
                Err(InvalidWord::new("bearer_token_file", "a request has either this or user"))
            }
            Self { user: Some(_), .. } | Self { bearer_token_file: Some(_), .. } if is_authorized => {
                Err(InvalidWord::new("header", "Authorization stands there already, by user or bearer_token_file"))
            }
            Self { ca_file: Some(_), insecure: true, .. } => {
                Err(InvalidWord::new("ca_file", "with insecure, no certificate is judged"))
            }
            Self { method: Some(Method::GET | Method::HEAD), body: Some(_), .. }
            | Self { method: None, body: Some(_), .. } => {
                Err(InvalidWord::new("body", "it needs a method that sends one, such as POST"))
            }
            Self { method: Some(Method::HEAD), expectations: Expectations { text: Some(_), .. }, .. } => {
                Err(InvalidWord::new("expect_text", "an answer to HEAD has no body"))
            }
            _ => Ok(()),
        }
    }

    /// The first word that is about pages only.
    fn of_pages(&self) -> Option<&'static str> {
        let words = [
            ("expect_status", !self.expectations.status.is_empty()),
            ("expect_text", self.expectations.text.is_some()),
            ("expect_header", !self.expectations.headers.is_empty()),
            ("method", self.method.is_some()),
            ("header", !self.headers.is_empty()),
            ("body", self.body.is_some()),
            ("user", self.user.is_some()),
            ("bearer_token_file", self.bearer_token_file.is_some()),
            ("proxy", self.proxy.is_some()),
            ("throughput_url", matches!(self.throughput, Some(Some(_)))),
            ("stay_on_host", self.stay_on_host == Some(true)),
            ("expect_certificate_days", self.expectations.certificate_days.is_some()),
            ("client_certificate", self.client_certificate.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("insecure", self.insecure),
        ];
        words.into_iter().find(|(_, is_said)| *is_said).map(|(key, _)| key)
    }
}
