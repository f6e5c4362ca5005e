//! Receivers and routes, as they are configured.

mod tables;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::page::PageUrl;
use crate::route::Route;

/// Who is told, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyConfig {
    /// Who may be told.
    pub receivers: Vec<ReceiverConfig>,
    /// Of what. Without any, every receiver is told of all.
    pub routes: Vec<Route>,
}

/// A receiver, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Its name, by which the store knows it.
    pub name: String,
    /// How it is reached.
    pub form: Form,
    /// How long it may take for one delivery.
    pub timeout: Duration,
    /// Deliveries a minute.
    pub max_per_minute: usize,
    /// Messages in one delivery.
    pub max_grouped: usize,
    /// Certificates of issuers to trust, instead of those that the system does.
    pub ca_file: Option<PathBuf>,
    /// The page that messages lead to: the same for all receivers.
    pub page_url: Option<PageUrl>,
}

/// How a receiver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Our own JSON by HTTP POST.
    Webhook {
        /// Where.
        url: UrlSource,
        /// The key that signs it.
        hmac_key_file: Option<PathBuf>,
    },
    /// An incoming webhook of Slack, or of something that takes the same.
    Slack {
        /// Where. It is a secret.
        url_file: PathBuf,
    },
    /// Alertmanager, by its API v2.
    Alertmanager {
        /// Its base.
        url: UrlSource,
    },
    /// Mail by SMTP.
    Email(EmailConfig),
}

/// Where a URL stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// In the configuration, without a secret in it.
    Inline(String),
    /// In a file.
    File(PathBuf),
}

/// Mail by SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailConfig {
    /// The server's name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who signs in, and the file with the password.
    pub login: Option<(String, PathBuf)>,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

/// How a connection to an SMTP server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS after `STARTTLS`, which the server must offer.
    #[default]
    Starttls,
    /// TLS from the beginning.
    Tls,
    /// None.
    None,
}

/// What a receiver is, for metrics and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverKind {
    /// Our own JSON.
    Webhook,
    /// Slack, or what takes the same.
    Slack,
    /// Alertmanager.
    Alertmanager,
    /// Mail.
    Email,
}

impl ReceiverKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::Slack, Self::Alertmanager, Self::Email];

    /// As the configuration and metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Alertmanager => "alertmanager",
            Self::Email => "email",
        }
    }

    /// Whether it keeps what it is told in memory only, and so is told again what stands.
    pub(crate) fn forgets(self) -> bool {
        self == Self::Alertmanager
    }
}

impl fmt::Display for ReceiverKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ReceiverConfig {
    /// What it is.
    pub fn kind(&self) -> ReceiverKind {
        match self.form {
            Form::Webhook { .. } => ReceiverKind::Webhook,
            Form::Slack { .. } => ReceiverKind::Slack,
            Form::Alertmanager { .. } => ReceiverKind::Alertmanager,
            Form::Email(_) => ReceiverKind::Email,
        }
    }
}

/// What is wrong with the configuration, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotifyConfigError(pub String);
