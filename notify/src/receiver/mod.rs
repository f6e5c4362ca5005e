//! The four kinds of receivers: from messages to a delivery.

mod alertmanager;
mod email;
mod http;
mod slack;
mod trust;
mod webhook;

use std::time::Duration;

use tokio::time::timeout;

use crate::config::{Form, NotifyConfigError, ReceiverConfig, ReceiverKind};
use crate::message::Message;
use crate::page::PageUrl;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has taken it.
    Delivered,
    /// The receiver works, and does not take these messages.
    Refused {
        /// What it says, and what to do, in one line.
        error: String,
    },
    /// The receiver can't be reached, or takes nothing for now.
    Away {
        /// What is in the way, and what to do, in one line.
        error: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    pub(crate) fn away(error: impl Into<String>) -> Self {
        Self::Away { error: error.into(), retry_after: None }
    }

    /// What went wrong, if anything did.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Refused { error } | Self::Away { error, .. } => Some(error),
        }
    }
}

/// A receiver that is ready to be told something.
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ReceiverKind,
    /// Deliveries a minute.
    pub max_per_minute: usize,
    /// Messages in one delivery.
    pub max_grouped: usize,
    timeout: Duration,
    page_url: Option<PageUrl>,
    way: Way,
}

/// How it is reached.
enum Way {
    Webhook(webhook::Webhook),
    Slack(slack::Slack),
    Alertmanager(alertmanager::Alertmanager),
    Email(Box<email::Email>),
}

impl Receiver {
    /// Reads its secrets and certificates.
    ///
    /// # Errors
    /// [`NotifyConfigError`] if a file can't be read, or does not hold what it should.
    pub fn open(config: &ReceiverConfig) -> Result<Self, NotifyConfigError> {
        let way = match &config.form {
            Form::Webhook { url, hmac_key_file } => {
                webhook::Webhook::open(url, hmac_key_file.as_deref(), config.ca_file.as_deref()).map(Way::Webhook)
            }
            Form::Slack { url_file } => slack::Slack::open(url_file, config.ca_file.as_deref()).map(Way::Slack),
            Form::Alertmanager { url } => {
                alertmanager::Alertmanager::open(url, config.ca_file.as_deref()).map(Way::Alertmanager)
            }
            Form::Email(email) => {
                let email = email::Email::open(email, config.ca_file.as_deref(), config.timeout);
                email.map(|email| Way::Email(Box::new(email)))
            }
        };
        let way = way.map_err(|what| NotifyConfigError(format!("receiver `{}`: {what}", config.name)))?;
        Ok(Self {
            name: config.name.clone(),
            kind: config.kind(),
            max_per_minute: config.max_per_minute,
            max_grouped: config.max_grouped,
            timeout: config.timeout,
            page_url: config.page_url.clone(),
            way,
        })
    }

    /// Where its messages go, without secrets.
    pub fn place(&self) -> String {
        match &self.way {
            Way::Webhook(webhook) => webhook.place(),
            Way::Slack(slack) => slack.place(),
            Way::Alertmanager(alertmanager) => alertmanager.place(),
            Way::Email(email) => email.place(),
        }
    }

    /// Sends messages in one delivery.
    pub async fn deliver(&self, messages: &[Message], now_ms: i64) -> Outcome {
        let messages: Vec<_> = messages.iter().map(|message| self.with_url(message)).collect();
        let delivery = async {
            match &self.way {
                Way::Webhook(webhook) => webhook.deliver(&messages, now_ms).await,
                Way::Slack(slack) => slack.deliver(&messages).await,
                Way::Alertmanager(alertmanager) => alertmanager.deliver(&messages, now_ms).await,
                Way::Email(email) => email.deliver(&messages).await,
            }
        };
        timeout(self.timeout, delivery).await.unwrap_or_else(|_| {
            let (place, given) = (self.place(), humantime::format_duration(self.timeout));
            Outcome::away(format!("{place} did not answer within {given}; see that it works, or raise timeout"))
        })
    }

    /// Where the page shows the incident depends on the present configuration, and not on that of when the message was made.
    fn with_url(&self, message: &Message) -> Message {
        let url = self.page_url.as_ref().map(|page| page.of(message));
        Message { url, ..message.clone() }
    }
}
