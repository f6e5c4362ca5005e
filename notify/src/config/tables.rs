//! Receivers and routes, read from `netqoe.toml`: `[[notify.receiver]]`, `[[notify.route]]`, and `page_url` of `[notify]`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use netqoe_model::{DimensionName, Label, Severity};
use serde::Deserialize;
use toml::{Table, Value};

use super::{EmailConfig, Form, NotifyConfig, NotifyConfigError, ReceiverConfig, ReceiverKind, Security, UrlSource};
use crate::page::PageUrl;
use crate::route::Route;

/// Receivers that there may be: each has a delivery in flight.
const MAX_RECEIVERS: usize = 50;

/// Characters of a receiver's name.
const MAX_NAME_CHARS: usize = 64;

/// How long a receiver may take for one delivery, where the configuration does not say.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that it may be given: nothing else is sent to it meanwhile.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Deliveries a minute, where the configuration does not say. What exceeds it waits, and is grouped.
const MAX_PER_MINUTE: usize = 20;

/// Messages in one delivery, where the configuration does not say. Slack shows no more attachments.
const MAX_GROUPED: usize = 20;

/// The most that may be asked for: a delivery must stay small enough for every receiver to take.
const MOST_GROUPED: usize = 100;

impl NotifyConfig {
    /// Takes receivers, routes and the page's URL out of the table `[notify]`, and leaves the rest.
    ///
    /// # Errors
    /// [`NotifyConfigError`] if a table is not understood, or names what is not there.
    pub fn take(notify: &mut Table) -> Result<Self, NotifyConfigError> {
        let page_url = page_url(notify)?;
        let receivers: Vec<ReceiverTable> = tables(notify, "receiver")?;
        let routes: Vec<RouteTable> = tables(notify, "route")?;
        let config = Self {
            receivers: receivers.into_iter().map(|table| table.read(&page_url)).collect::<Result<_, _>>()?,
            routes: routes.into_iter().map(RouteTable::read).collect::<Result<_, _>>()?,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), NotifyConfigError> {
        if self.receivers.len() > MAX_RECEIVERS {
            return refuse(format!("there are more than {MAX_RECEIVERS} of [[notify.receiver]]"));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.receivers.iter().find(|receiver| !names.insert(receiver.name.as_str())) {
            return refuse(format!("two of [[notify.receiver]] have the name `{}`; give each its own", twice.name));
        }
        let mut named = self.routes.iter().flat_map(|route| &route.receivers);
        if let Some(unknown) = named.find(|name| !names.contains(name.as_str())) {
            return refuse(format!("[[notify.route]] names the receiver `{unknown}`, which no [[notify.receiver]] is"));
        }
        Ok(())
    }
}

fn refuse<T>(what: String) -> Result<T, NotifyConfigError> {
    Err(NotifyConfigError(what))
}

fn page_url(notify: &mut Table) -> Result<Option<PageUrl>, NotifyConfigError> {
    match notify.remove("page_url") {
        None => Ok(None),
        Some(Value::String(text)) => PageUrl::parse(&text).map(Some).map_err(NotifyConfigError),
        Some(_) => refuse("page_url must be a text".to_owned()),
    }
}

fn tables<T: serde::de::DeserializeOwned>(notify: &mut Table, key: &str) -> Result<Vec<T>, NotifyConfigError> {
    let Some(value) = notify.remove(key) else { return Ok(Vec::new()) };
    let Value::Array(values) = value else { return refuse(format!("write [[notify.{key}]], with two brackets")) };
    let read = |value: Value| {
        value.try_into().map_err(|error: toml::de::Error| {
            let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            NotifyConfigError(format!("[[notify.{key}]]: {message}"))
        })
    };
    values.into_iter().map(read).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiverTable {
    name: String,
    kind: ReceiverKind,
    url: Option<String>,
    url_file: Option<PathBuf>,
    hmac_key_file: Option<PathBuf>,
    server: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    to: Option<Vec<String>>,
    ca_file: Option<PathBuf>,
    timeout: Option<String>,
    max_per_minute: Option<usize>,
    max_grouped: Option<usize>,
}

impl ReceiverTable {
    fn read(mut self, page_url: &Option<PageUrl>) -> Result<ReceiverConfig, NotifyConfigError> {
        let name = std::mem::take(&mut self.name);
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            return refuse(format!("the name of a [[notify.receiver]] must have 1 to {MAX_NAME_CHARS} characters"));
        }
        let refused = |what: String| NotifyConfigError(format!("receiver `{name}`: {what}"));
        let timeout = self.timeout().map_err(refused)?;
        let max_per_minute =
            within("max_per_minute", self.max_per_minute.take(), MAX_PER_MINUTE, 600).map_err(refused)?;
        let max_grouped = within("max_grouped", self.max_grouped.take(), MAX_GROUPED, MOST_GROUPED).map_err(refused)?;
        let ca_file = self.ca_file.take();
        let form = self.form().map_err(refused)?;
        let page_url = page_url.clone();
        Ok(ReceiverConfig { form, timeout, max_per_minute, max_grouped, ca_file, page_url, name })
    }

    fn timeout(&mut self) -> Result<Duration, String> {
        let Some(text) = self.timeout.take() else { return Ok(TIMEOUT) };
        let timeout = humantime::parse_duration(&text).map_err(|error| format!("timeout: {error}"))?;
        if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
            return Err(format!("timeout must be up to {}", humantime::format_duration(LONGEST_TIMEOUT)));
        }
        Ok(timeout)
    }

    /// Takes the keys that belong to the kind; one that is left belongs to another.
    fn form(mut self) -> Result<Form, String> {
        let form = match self.kind {
            ReceiverKind::Webhook => Form::Webhook { url: self.url()?, hmac_key_file: self.hmac_key_file.take() },
            ReceiverKind::Slack => Form::Slack {
                url_file: self
                    .url_file
                    .take()
                    .ok_or("a URL of Slack is a secret: give url_file, a file that holds it")?,
            },
            ReceiverKind::Alertmanager => Form::Alertmanager { url: self.url()? },
            ReceiverKind::Email => Form::Email(self.email()?),
        };
        match self.left() {
            Some(key) => Err(format!("{key} is no key of kind {}", self.kind)),
            None => Ok(form),
        }
    }

    fn url(&mut self) -> Result<UrlSource, String> {
        match (self.url.take(), self.url_file.take()) {
            (Some(url), None) => Ok(UrlSource::Inline(url)),
            (None, Some(file)) => Ok(UrlSource::File(file)),
            _ => Err("give either url, or url_file where the URL holds a secret".to_owned()),
        }
    }

    fn email(&mut self) -> Result<EmailConfig, String> {
        let security = self.security.take().unwrap_or_default();
        let login = match (self.user.take(), self.password_file.take()) {
            (Some(user), Some(file)) => Some((user, file)),
            (None, None) => None,
            _ => return Err("user and password_file belong together".to_owned()),
        };
        if login.is_some() && security == Security::None {
            return Err("a password is not sent without TLS; set security to starttls or tls".to_owned());
        }
        let default_port = match security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        };
        Ok(EmailConfig {
            server: self.server.take().ok_or("server is missing")?,
            port: self.port.take().unwrap_or(default_port),
            security,
            login,
            from: self.from.take().ok_or("from is missing")?,
            to: self.to.take().filter(|to| !to.is_empty()).ok_or("to is missing")?,
        })
    }

    fn left(&self) -> Option<&'static str> {
        let keys = [
            ("url", self.url.is_some()),
            ("url_file", self.url_file.is_some()),
            ("hmac_key_file", self.hmac_key_file.is_some()),
            ("server", self.server.is_some()),
            ("port", self.port.is_some()),
            ("security", self.security.is_some()),
            ("user", self.user.is_some()),
            ("password_file", self.password_file.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
        ];
        keys.into_iter().find(|(_, is_left)| *is_left).map(|(key, _)| key)
    }
}

fn within(key: &str, given: Option<usize>, default: usize, most: usize) -> Result<usize, String> {
    match given.unwrap_or(default) {
        value if (1..=most).contains(&value) => Ok(value),
        _ => Err(format!("{key} must be from 1 to {most}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteTable {
    receivers: Vec<String>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    severities: Vec<Severity>,
    #[serde(default)]
    dimensions: Vec<DimensionName>,
    #[serde(default)]
    values: Vec<String>,
}

impl RouteTable {
    fn read(self) -> Result<Route, NotifyConfigError> {
        let Self { receivers, labels, severities, dimensions, values } = self;
        if receivers.is_empty() {
            return refuse("[[notify.route]] names no receivers".to_owned());
        }
        Ok(Route { receivers, labels, severities, dimensions, values })
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::Dimension;

    use super::*;

    fn read(text: &str) -> Result<NotifyConfig, NotifyConfigError> {
        let mut table = text.parse::<Table>().unwrap();
        let Some(Value::Table(notify)) = table.get_mut("notify") else { return Ok(NotifyConfig::default()) };
        let config = NotifyConfig::take(notify)?;
        assert!(!notify.contains_key("receiver") && !notify.contains_key("route"));
        Ok(config)
    }

    #[test]
    fn reads_receivers_and_routes() {
        let config = read(
            r#"
            [notify]
            other = 1
            [[notify.receiver]]
            name = "ops"
            kind = "webhook"
            url = "https://hooks.example.org/netqoe"
            hmac_key_file = "key"
            timeout = "3s"
            [[notify.receiver]]
            name = "mail"
            kind = "email"
            server = "smtp.example.org"
            user = "netqoe"
            password_file = "password"
            from = "netqoe@example.org"
            to = ["ops@example.org"]
            [[notify.route]]
            receivers = ["mail"]
            labels = ["dns-bound"]
            severities = ["critical"]
            dimensions = ["isp×target", "isp"]
            values = ["isp-*"]
            "#,
        )
        .unwrap();
        let [ops, mail] = config.receivers.as_slice() else { panic!("{config:?}") };
        let url = UrlSource::Inline("https://hooks.example.org/netqoe".to_owned());
        assert_eq!(ops.form, Form::Webhook { url, hmac_key_file: Some("key".into()) });
        assert_eq!((ops.timeout, ops.max_per_minute, ops.max_grouped), (Duration::from_secs(3), 20, 20));
        assert_eq!(mail.kind(), ReceiverKind::Email);
        assert!(matches!(&mail.form, Form::Email(email) if email.port == 587 && email.login.is_some()));
        assert_eq!(config.routes[0].dimensions, [Dimension::IspTarget.into(), Dimension::Isp.into()]);
        assert_eq!(config.routes[0].severities, [Severity::Critical]);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        let webhook = "[[notify.receiver]]\nname = 'a'\nkind = 'webhook'\n";
        let mail = "[[notify.receiver]]\nname = 'a'\nkind = 'email'\nserver = 's'\nfrom = 'f@x'\n";
        for (text, part) in [
            (webhook.to_owned(), "give either url, or url_file"),
            (format!("{webhook}url = 'https://x'\nurl_file = 'y'"), "give either url, or url_file"),
            (format!("{webhook}url = 'https://x'\nto = ['y']"), "to is no key of kind webhook"),
            (format!("{webhook}url = 'https://x'\nnonesuch = 1"), "unknown field `nonesuch`"),
            (format!("{webhook}url = 'https://x'\nmax_grouped = 0"), "max_grouped must be from 1 to 100"),
            (format!("{webhook}url = 'https://x'\ntimeout = '1h'"), "timeout must be up to 2m"),
            (format!("{webhook}url = 'https://x'\n{webhook}url = 'https://y'"), "have the name `a`"),
            ("[[notify.receiver]]\nname = 'a'\nkind = 'slack'\nurl = 'https://x'".to_owned(), "give url_file"),
            ("[[notify.receiver]]\nname = 'a'\nkind = 'pigeon'".to_owned(), "unknown variant `pigeon`"),
            ("[[notify.receiver]]\nname = ''\nkind = 'slack'".to_owned(), "1 to 64 characters"),
            (mail.to_owned(), "to is missing"),
            (format!("{mail}to = ['t@x']\nuser = 'u'"), "user and password_file belong together"),
            (
                format!("{mail}to = ['t@x']\nuser = 'u'\npassword_file = 'p'\nsecurity = 'none'"),
                "a password is not sent without TLS",
            ),
            ("[[notify.route]]\nreceivers = ['b']".to_owned(), "names the receiver `b`"),
            ("[[notify.route]]\nreceivers = []".to_owned(), "names no receivers"),
            ("[[notify.route]]\nreceivers = ['b']\nlabels = ['slow']".to_owned(), "unknown variant `slow`"),
            ("[notify.receiver]\nname = 'a'".to_owned(), "write [[notify.receiver]]"),
            ("[notify]\npage_url = 'netqoe.example.org'".to_owned(), "netqoe.example.org is no URL"),
            ("[notify]\npage_url = 1".to_owned(), "page_url must be a text"),
        ] {
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(part) && !refused.contains('\n'), "{text}: {refused}");
        }
    }
}
