//! Mail by SMTP, as plain text.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use netqoe_model::escaped;

use super::{Outcome, trust};
use crate::config::{EmailConfig, Security};
use crate::message::Message;
use crate::secret::Secret;
use crate::words::{cut, subject};

/// Characters of a subject: what mail programs show.
const MAX_SUBJECT_CHARS: usize = 150;

/// Characters of a server's answer that are shown.
const MAX_REASON_CHARS: usize = 200;

/// The right part of a mail's id, which is no host of ours.
const ID_HOST: &str = "netqoe.invalid";

pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    server: String,
    port: u16,
}

impl Email {
    pub(super) fn open(config: &EmailConfig, ca_file: Option<&Path>, timeout: Duration) -> Result<Self, String> {
        let mailbox = |text: &str| {
            text.parse::<Mailbox>().map_err(|error| format!("`{}` is no mail address: {error}", escaped(text)))
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server)
            .port(config.port)
            .timeout(Some(timeout))
            .tls(protection(config, ca_file)?);
        if let Some((user, password_file)) = &config.login {
            let password = Secret::read(password_file)?;
            transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(Self {
            transport: transport.build(),
            from: mailbox(&config.from)?,
            to: config.to.iter().map(|to| mailbox(to)).collect::<Result<_, _>>()?,
            server: config.server.clone(),
            port: config.port,
        })
    }

    pub(super) fn place(&self) -> String {
        format!("smtp://{}:{}", self.server, self.port)
    }

    pub(super) async fn deliver(&self, messages: &[Message]) -> Outcome {
        let mail = match self.mail(messages) {
            Ok(mail) => mail,
            Err(error) => return Outcome::Refused { error: format!("can't write the mail: {error}") },
        };
        match self.transport.send(mail).await {
            Ok(_) => Outcome::Delivered,
            Err(error) => {
                let said = trust::fault(&error).unwrap_or_else(|| error.to_string());
                let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
                let said = cut(&said, MAX_REASON_CHARS);
                let advice = match error.is_permanent() {
                    true => "; see that user, password, from and to are right",
                    false => "",
                };
                Outcome::away(format!("{} did not take the mail: {}{advice}", self.place(), escaped(&said)))
            }
        }
    }

    /// One mail for all messages. Its id is the same in every attempt, so that servers can drop a second one.
    fn mail(&self, messages: &[Message]) -> Result<Mail, lettre::error::Error> {
        let first = messages.first();
        let id = first.map_or("", |message| message.id.as_str());
        let incident = first.map_or("", |message| &message.incident.0);
        let mut mail = Mail::builder()
            .from(self.from.clone())
            .subject(subject_line(messages))
            .message_id(Some(format!("<{}.{}@{ID_HOST}>", id_part(id), messages.len())))
            .references(format!("<{}@{ID_HOST}>", id_part(incident)));
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        mail.header(ContentType::TEXT_PLAIN).body(text(messages))
    }
}

fn protection(config: &EmailConfig, ca_file: Option<&Path>) -> Result<Tls, String> {
    if config.security == Security::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(config.server.clone());
    if let Some(path) = ca_file {
        parameters = parameters.certificate_store(CertificateStore::None);
        for certificate in trust::certificates(path)? {
            let certificate = Certificate::from_der(certificate.to_vec()).map_err(|error| error.to_string())?;
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    let parameters = parameters.build_rustls().map_err(|error| error.to_string())?;
    Ok(if config.security == Security::Tls { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}

/// Only what an id may hold.
fn id_part(id: &str) -> String {
    id.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '-').collect()
}

/// One line: a name can't begin another header.
fn subject_line(messages: &[Message]) -> String {
    let line = match messages {
        [message] => format!("netqoe: {}", message.summary),
        several => format!("netqoe: {} messages", several.len()),
    };
    escaped(&cut(&line, MAX_SUBJECT_CHARS)).into_owned()
}

fn text(messages: &[Message]) -> String {
    let mut text = String::new();
    for message in messages {
        let time = |ms| Timestamp::from_millisecond(ms).map_or_else(|_| "?".to_owned(), |time| time.to_string());
        let mut lines = vec![
            escaped(&message.summary).into_owned(),
            format!("  Label:    {}", message.label),
            format!("  Severity: {}", message.severity.as_str()),
            format!("  Cause:    {}", subject(&message.cause)),
            format!("  Since:    {}", time(message.opened_ms)),
        ];
        lines.extend(message.closed_ms.map(|closed_ms| format!("  Until:    {}", time(closed_ms))));
        lines.extend(message.url.as_ref().map(|url| format!("  Page:     {url}")));
        lines.push(format!("  Message:  {}", message.id));
        for line in lines {
            text.push_str(&line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MessageEvent;

    fn email() -> Email {
        let config = EmailConfig {
            server: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            login: None,
            from: "netqoe <netqoe@example.org>".to_owned(),
            to: vec!["ops@example.org".to_owned()],
        };
        Email::open(&config, None, Duration::from_secs(1)).unwrap()
    }

    #[test]
    fn a_name_adds_no_header_and_no_line() {
        let hostile = "x\r\nBcc: all@example.org\r\n\r\n.\r\nMAIL FROM:<a>".to_owned();
        let message = Message { event: MessageEvent::Opened, summary: hostile, ..Message::test(7) };
        let mail = String::from_utf8(email().mail(&[message]).unwrap().formatted()).unwrap();
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Message-ID: <test-7.1@netqoe.invalid>"), "{head}");
    }

    #[test]
    fn a_long_subject_is_cut() {
        let message = Message { summary: "ü".repeat(5_000), ..Message::test(7) };
        assert_eq!(subject_line(&[message]).chars().count(), MAX_SUBJECT_CHARS + 1);
        assert_eq!(subject_line(&[Message::test(1), Message::test(2)]), "netqoe: 2 messages");
    }
}
